// A mirror that signs its pages (PEP 381), through the whole way of a change.
#include <functional>

#include "pep381d/pages/project_page.h"
#include "pep381d/sync/verification.h"

#include "support/catch.h"
#include "support/signers.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
namespace fs = std::filesystem;

namespace {

struct Signed : SyncWorld {
    Signed() {
        policy.signer = signer();
        publish(page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")}));
        publish(page("bar", 6, {sdist("bar-1.0.tar.gz")}));
        REQUIRE_FALSE(pass());
    }
    // Both signatures are those of the page that lies there, by the keys that lie there.
    bool is_signed(const std::string& name) {
        const auto dsa = PublicKey::parse(bytes("serverkey"));
        const auto ed25519 = PublicKey::parse(bytes("serverkey.ed25519"));
        const std::string html = bytes("simple/" + name + "/index.html");
        return dsa && ed25519 && dsa.value().verifies(html, bytes("serversig/" + name)) &&
               ed25519.value().verifies(html, bytes("serversig/" + name + ".ed25519"));
    }
    std::string found() {
        std::string all;
        for (const Finding& finding : verify(state, tree, true))
            all += std::string(pep381d::name_of(finding.flaw)) + " " + finding.path + "\n";
        return all;
    }
};

}  // namespace

TEST_CASE("every page is signed with both keys, whose public halves are published") {
    Signed world;
    CHECK(world.is_signed("foo"));
    CHECK(world.is_signed("bar"));
    CHECK(world.bytes("serverkey") == openssl_made::dsa_public);
    CHECK(world.bytes("serverkey.ed25519") == openssl_made::ed25519_public);
    CHECK(world.found().empty());
    CHECK(fs::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("only a page that changed is signed again") {
    Signed world;
    const std::string foo = world.bytes("serversig/foo"), bar = world.bytes("serversig/bar");
    world.publish(page("foo", 21, {wheel("foo-1.0-py3-none-any.whl"), sdist("foo-2.0.tar.gz")}));
    world.event("foo", "new release", 21);
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes("serversig/foo") != foo);
    CHECK(world.bytes("serversig/bar") == bar);
    CHECK(world.is_signed("foo"));
    CHECK(world.found().empty());
}

TEST_CASE("a project that goes takes its signatures with it") {
    Signed world;
    const auto foo = page("foo", 5, {});
    world.network.answers.erase(ScriptedMaster::url(foo));
    world.listed.erase("foo");
    world.event("foo", "remove project", 22);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("serversig/foo"));
    CHECK_FALSE(world.there("serversig/foo.ed25519"));
    CHECK(world.is_signed("bar"));
    CHECK(world.found().empty());
    CHECK_FALSE(world.state.next_removal());
}

TEST_CASE("with other keys every page is signed again, without them no signature is left") {
    Signed world;
    world.policy.signer = quick_signer(1);
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes("serverkey") == world.policy.signer->keys().dsa.public_key().pem());
    CHECK(world.is_signed("foo"));
    CHECK(world.is_signed("bar"));
    CHECK(world.found().empty());

    world.policy.signer = nullptr;
    REQUIRE_FALSE(world.pass());
    for (const char* path : {"serverkey", "serverkey.ed25519", "serversig/foo",
                             "serversig/foo.ed25519", "serversig/bar"})
        CHECK_FALSE(world.there(path));
    CHECK(world.found().empty());

    world.policy.signer = signer();
    REQUIRE_FALSE(world.pass());
    CHECK(world.is_signed("foo"));
    CHECK(world.found().empty());
}

TEST_CASE("what is wrong with a signature or a public key is found, and mended by signing again") {
    struct Damage {
        const char* what;
        std::function<void(Signed&)> harm;
        const char* found;
    };
    const auto damage = GENERATE(values<Damage>({
        {"a signature is gone",
         [](Signed& w) { fs::remove(w.directory.path() / "web/serversig/foo"); },
         "missing web/serversig/foo\n"},
        {"a signature of another page",
         [](Signed& w) { w.put("serversig/foo", w.bytes("serversig/bar")); },
         "wrong_bytes web/serversig/foo\n"},
        {"an HTML page where a signature belongs",
         [](Signed& w) { w.put("serversig/foo.ed25519", "<html></html>"); },
         "wrong_bytes web/serversig/foo.ed25519\n"},
        {"a signature is huge", [](Signed& w) { w.make_huge("serversig/foo.ed25519"); },
         "wrong_bytes web/serversig/foo.ed25519\n"},
        {"a signature of nobody's page", [](Signed& w) { w.put("serversig/other", "x"); },
         "stray web/serversig/other\n"},
        {"something else beside the signatures", [](Signed& w) { w.put("serversig/foo.sig", "x"); },
         "stray web/serversig/foo.sig\n"},
        {"a directory among the signatures", [](Signed& w) { w.put("serversig/x/y", "x"); },
         "stray web/serversig/x/y\n"},
        {"a directory where a signature belongs",
         [](Signed& w) {
             fs::remove(w.directory.path() / "web/serversig/foo");
             fs::create_directory(w.directory.path() / "web/serversig/foo");
         },
         "wrong_kind web/serversig/foo\n"},
        {"the public key is another", [](Signed& w) { w.put("serverkey", "x"); },
         "wrong_bytes web/serverkey\n"},
        {"the public key is huge", [](Signed& w) { w.make_huge("serverkey"); },
         "wrong_bytes web/serverkey\n"},
        {"the public key is gone",
         [](Signed& w) { fs::remove(w.directory.path() / "web/serverkey.ed25519"); },
         "missing web/serverkey.ed25519\n"},
    }));
    INFO(damage.what);
    Signed world;
    damage.harm(world);
    CHECK(world.found() == damage.found);
    world.repair();
    CHECK(world.found().empty());
    CHECK(world.is_signed("foo"));
    CHECK(world.is_signed("bar"));
}

TEST_CASE("a page and its signatures stay together where something is in their way") {
    Signed world;
    const fs::path web = world.directory.path() / "web", elsewhere = world.directory.path() / "x";
    const std::string before = world.bytes("simple/foo/index.html");
    const bool on_the_way = GENERATE(true, false);
    const fs::path place =
        web / (on_the_way ? GENERATE("simple/foo", "serversig")
                          : GENERATE("simple/foo/index.v1_html", "serversig/foo.ed25519"));
    fs::rename(place, elsewhere);
    if (on_the_way)
        fs::create_directory_symlink(elsewhere, place);
    else
        world.put(fs::relative(place, web).string() + "/someone's", "someone's");
    const File fresh = sdist("foo-2.0.tar.gz");
    world.publish(page("foo", 21, {wheel("foo-1.0-py3-none-any.whl"), fresh}));
    world.event("foo", "new release", 21);
    for (int tries = 0; tries < 3; ++tries) {
        REQUIRE_FALSE(world.pass());
        CHECK(world.left == 1);
        CHECK(world.bytes("simple/foo/index.html") == before);
        if (fs::is_regular_file(web / "serversig/foo.ed25519")) CHECK(world.is_signed("foo"));
        CHECK(world.network.asked[fresh.url] == 1);
        world.clock.advance(1h);
    }
    fs::remove_all(place);
    fs::rename(elsewhere, place);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.is_signed("foo"));
    CHECK(world.bytes("simple/foo/index.html") != before);
    CHECK(world.network.asked[fresh.url] == 1);
    CHECK(fs::is_empty(world.directory.path() / "staging"));
}
