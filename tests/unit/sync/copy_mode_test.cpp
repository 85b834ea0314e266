// Pages as the master sent them (pages.mode = copy), over time: what comes of a master that signs
// wrongly, with another key, or not any more.
#include <algorithm>

#include <fmt/format.h>

#include "pep381d/sync/verification.h"

#include "support/catch.h"
#include "support/signers.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

const std::string at = master;

struct Copying : SyncWorld {
    std::shared_ptr<Signer> signer = quick_signer(0);
    std::map<std::string, std::string> pages;  // as the master has them
    std::int64_t rows = 0;

    explicit Copying(bool synced = true) {
        policy.protocol = Protocol::pep381;
        policy.copy = true;
        say("list_packages", "<value>foo</value><value>bar</value>");
        say("changelog", "");
        show("foo", {"foo-1.0.tar.gz"});
        show("bar", {"bar-1.0.tar.gz"});
        sign_all();
        if (!synced) return;
        sync();
        REQUIRE(left == 0);
    }

    void say(const std::string& method, const std::string& values) {
        network.answers[method] = {
            "<?xml version='1.0'?><methodResponse><params><param><value><array><data>" + values +
                "</data></array></value></param></params></methodResponse>",
            "text/xml"};
    }
    // A page, and its signature by the key of now.
    void show(const std::string& name, const std::vector<std::string>& files) {
        std::string html = "<html><head><title>Links for " + name + "</title></head><body>";
        for (const std::string& file : files) {
            Hasher md5(Algorithm::md5);
            md5.update(file);
            const std::string path = "packages/source/x/" + name + "/" + file;
            html += "<a href=\"../../" + path + "#md5=" + to_hex(md5.finish()) + "\">x</a>";
            network.answers[at + "/" + path] = {file, "application/octet-stream"};
        }
        pages[name] = html + "</body></html>";
        network.answers[page_at(name)] = {pages[name], "text/html"};
        sign(name);
    }
    void sign(const std::string& name) {
        network.answers[signature_at(name)] = {signer->keys().dsa.sign(pages[name]), ""};
    }
    void sign_all() {
        network.answers[key_at()] = {signer->keys().dsa.public_key().pem(), "text/plain"};
        for (const auto& [name, page] : pages) sign(name);
    }
    void news(const std::string& name, const std::vector<std::string>& files) {
        show(name, files);
        tell(name, "new release");
    }
    // A row of the journal.
    void tell(const std::string& name, const std::string& action) {
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(
            clock.now().time_since_epoch() + std::chrono::seconds(++rows));
        say("changelog", "<value><array><data><value><string>" + name +
                             "</string></value><value><string>2.0</string></value><value><int>" +
                             std::to_string(now.count()) + "</int></value><value><string>" +
                             action + "</string></value></data></array></value>");
    }
    static std::string key_at() { return at + "/serverkey"; }
    static std::string page_at(const std::string& name) { return at + "/simple/" + name + "/"; }
    static std::string signature_at(const std::string& name) { return at + "/serversig/" + name; }

    void sync() {
        network.asked.clear();
        const auto failure = pass();
        INFO((failure ? failure->what : ""));
        REQUIRE_FALSE(failure);
    }
    std::pair<std::string, std::string> shown(const std::string& name) {
        return {bytes("simple/" + name + "/index.html"), bytes("serversig/" + name)};
    }
    // The master's page of now, with a signature of it by the master's key of now.
    bool is_current(const std::string& name) {
        const auto [page, signature] = shown(name);
        return page == pages[name] && signer->keys().dsa.public_key().verifies(page, signature);
    }
    // Time goes on, with a pass each minute.
    void sync_for(std::chrono::minutes time) {
        for (; time > 0min; time -= 1min) {
            clock.advance(1min);
            sync();
        }
    }
};

}  // namespace

TEST_CASE("a page that its signature does not fit is asked for thrice, and then later and later") {
    Copying world;
    REQUIRE(world.is_current("foo"));
    const auto before = world.shown("foo");
    world.clock.advance(1min);
    const std::string dated = world.bytes("last-modified");
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.network.answers[Copying::signature_at("foo")] =
        world.network.answers[Copying::signature_at("bar")];
    world.sync();
    CHECK(world.network.asked[Copying::page_at("foo")] == 3);
    CHECK(world.network.asked[Copying::signature_at("foo")] == 3);
    CHECK(world.left == 1);
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("it is no signature of the page"));
    CHECK(world.shown("foo") == before);
    CHECK_FALSE(world.there("packages/source/x/foo/foo-2.0.tar.gz"));
    CHECK(world.bytes("last-modified") == dated);

    // What is wrong at the master holds nothing up for ever.
    world.sync_for(62min);
    CHECK(world.left == 1);
    CHECK(world.shown("foo") == before);
    CHECK(world.bytes("last-modified") > dated);

    world.sign("foo");
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
}

TEST_CASE("another key in the middle of a pass ends in pages that are all signed by it") {
    Copying world;
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    const std::string when = GENERATE(Copying::page_at("foo"), Copying::signature_at("foo"),
                                      at + "/packages/source/x/foo/foo-2.0.tar.gz");
    world.network.before = [&](const std::string& asked) {
        if (asked != when) return;
        world.network.before = {};
        world.signer = quick_signer(1);
        world.sign_all();
    };
    world.clock.advance(1min);
    world.sync();
    CHECK_FALSE(world.network.before);
    // The reconcile looks at the key, where no page has made it doubtful.
    world.clock.advance(25h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.is_current("bar"));

    // And back again.
    world.signer = quick_signer(0);
    world.sign_all();
    world.clock.advance(25h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.is_current("bar"));
}

TEST_CASE("a key that is not there for a moment, or is none, changes nothing") {
    Copying world;
    const auto before = world.shown("bar");
    const auto good = world.network.answers[Copying::key_at()];
    std::vector<std::string> files{"foo-1.0.tar.gz"};
    for (const auto& bad :
         std::vector<ScriptedTransport::Answer>{{{}, {}, {Fault::gone, "HTTP 404 Not Found"}},
                                                {{}, {}, {Fault::retry_later, "HTTP 503"}},
                                                {"<html><body>Welcome</body></html>", "text/html"},
                                                {openssl_made::ed25519_public, "text/plain"},
                                                {good.body.substr(0, 100), "text/plain"}}) {
        world.network.answers[Copying::key_at()] = bad;
        world.clock.advance(25h);
        files.push_back("foo-2." + std::to_string(files.size()) + ".tar.gz");
        world.news("foo", files);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 1);
        CHECK(world.left == 0);
        CHECK(world.is_current("foo"));
        CHECK(world.shown("bar") == before);
        world.network.answers[Copying::key_at()] = good;
        world.sync();
    }
}

TEST_CASE(
    "another master's key is asked for before its first page, and all signatures are its own") {
    Copying world;
    world.policy.master_shown = "https://other.example";
    world.signer = quick_signer(1);
    world.sign_all();
    SECTION("it has another key") {
        std::vector<std::string> asked;
        world.network.before = [&](const std::string& url) { asked.push_back(url); };
        world.sync();
        const auto key = std::find(asked.begin(), asked.end(), Copying::key_at());
        REQUIRE(key != asked.end());
        CHECK(std::find(asked.begin(), key, Copying::page_at("foo")) == key);
        CHECK(std::find(asked.begin(), key, Copying::page_at("bar")) == key);
        CHECK(world.left == 0);
        CHECK(world.is_current("foo"));
        CHECK(world.is_current("bar"));
    }
    SECTION("it does not answer: the key of the one before proves nothing") {
        world.signer = quick_signer(0);
        world.sign_all();
        world.network.fail(Copying::key_at(), Fault::retry_later, "HTTP 503");
        const auto before = world.shown("foo");
        world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
        CHECK(world.pass());
        CHECK(world.shown("foo") == before);
    }
}

TEST_CASE("a first pass fetches no page while the master does not answer for its key") {
    Copying world(false);
    world.policy.random = [] { return 1.0; };
    const auto good = world.network.answers[Copying::key_at()];
    world.network.fail(Copying::key_at(), Fault::retry_later, "GET /serverkey: HTTP 503");
    SECTION("with little patience it ends") {
        const auto failure = world.pass();
        REQUIRE(failure);
        CHECK(failure->what == "GET /serverkey: HTTP 503");
        CHECK(world.network.asked[Copying::key_at()] == 1);
    }
    SECTION("with some it asks later and later, and ends too") {
        world.policy.patience = 5s;
        world.hooks.commands = [&] {
            world.clock.advance(1ms);
            std::this_thread::sleep_for(100us);  // the committer's turn: the loop never waits
            return Command::none;
        };
        REQUIRE(world.pass());
        // After 1 and 2 seconds, not after 4 more; less often where the committer has few turns.
        CHECK(world.network.asked[Copying::key_at()] >= 2);
        CHECK(world.network.asked[Copying::key_at()] <= 3);
    }
    CHECK(world.left == 2);
    CHECK(world.network.asked[Copying::page_at("foo")] == 0);
    world.hooks.commands = {};
    world.network.answers[Copying::key_at()] = good;
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
}

TEST_CASE("another key that the journal tells of is found, though the first look brings nonsense") {
    Copying world;
    world.signer = quick_signer(1);
    world.sign_all();
    const auto good = world.network.answers[Copying::key_at()];
    const ScriptedTransport::Answer bad =
        GENERATE(ScriptedTransport::Answer{"<html><body>Welcome</body></html>", "text/html"},
                 ScriptedTransport::Answer{{}, {}, {Fault::refused, "HTTP 403 Forbidden"}});
    world.network.answers[Copying::key_at()] = bad;
    world.tell("", "keyrotate ");
    world.clock.advance(1min);
    world.sync();
    CHECK(world.network.asked[Copying::key_at()] == 1);
    world.network.answers[Copying::key_at()] = good;
    world.say("changelog", "");
    world.clock.advance(1min);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.is_current("bar"));
}

TEST_CASE("a key that is missing each night, when it is looked for, is not gone") {
    Copying world;
    const auto before = world.shown("bar");
    const auto good = world.network.answers[Copying::key_at()];
    for (int night = 0; night < 3; ++night) {
        world.network.answers.erase(Copying::key_at());
        world.clock.advance(25h);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 1);
        world.network.answers[Copying::key_at()] = good;
        world.clock.advance(1min);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 1);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 0);
        CHECK(world.shown("bar") == before);
    }
}

TEST_CASE("a look at all asks whether pages are others, and reads those that are") {
    Copying world;
    for (const char* name : {"foo", "bar"})
        world.network.answers[Copying::page_at(name)].conditional = true;
    world.clock.advance(25h);
    world.show("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.network.answers[Copying::page_at("foo")].conditional = true;
    world.network.answers[Copying::page_at("foo")].etag = "\"another\"";
    world.sync();
    CHECK(world.left == 0);
    for (const char* name : {"foo", "bar"}) {
        CHECK(world.network.asked[Copying::page_at(name)] == 1);
        CHECK(world.is_current(name));
    }
    CHECK(world.network.asked[Copying::signature_at("foo")] == 1);
    CHECK(world.network.asked[Copying::signature_at("bar")] == 0);
}

TEST_CASE("a master that signs no more is believed after an hour, and then copied without") {
    Copying world;
    world.network.answers.erase(Copying::key_at());
    for (const char* name : {"foo", "bar"})
        world.network.answers.erase(Copying::signature_at(name));
    const auto before = world.shown("foo");
    world.clock.advance(1min);
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.network.answers.erase(Copying::signature_at("foo"));
    world.sync();
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("and the master has a key"));
    world.sync_for(55min);
    CHECK(world.shown("foo") == before);
    CHECK(world.there("serversig/bar"));

    world.sync_for(10min);
    CHECK(world.left == 0);
    for (const char* name : {"foo", "bar"}) {
        CHECK(world.shown(name).first == world.pages[name]);
        CHECK_FALSE(world.there(std::string("serversig/") + name));
    }
}

TEST_CASE("what is damaged of a copied page is told by what the master sent, and comes back") {
    Copying world;
    REQUIRE(verify(world.state, world.tree, true).empty());
    const std::string page = "simple/foo/index.html", file = "packages/source/x/foo/foo-1.0.tar.gz";
    std::string path = page, cause, bytes = world.bytes(page);
    SECTION("it is longer") {
        bytes += " ";
        cause = fmt::format("not the page that the master sent: {} bytes instead of {}",
                            bytes.size(), bytes.size() - 1);
    }
    SECTION("it has other bytes") {
        bytes.front() = ' ';
        cause = fmt::format("with the SHA-256 {} instead of", to_hex(sha256(bytes)));
    }
    SECTION("its signature is another page's") {
        path = "serversig/foo";
        bytes = world.bytes("serversig/bar");
        cause = "it is not the signature that the master gave";
    }
    SECTION("a file of its links is another") {
        path = file;
        bytes = "foo-1.0.tar.GZ";
        cause = "its md5 is";
    }
    world.put(path, bytes);
    const auto found = verify(world.state, world.tree, true);
    REQUIRE(found.size() == (path == page ? 2 : 1));  // index.v1_html is the same file
    CHECK(found[0].path == "web/" + path);
    for (const Finding& finding : found) CHECK_THAT(finding.cause, ContainsSubstring(cause));

    CHECK(world.repair() == 0);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.bytes(file) == "foo-1.0.tar.gz");
    for (const Finding& finding : verify(world.state, world.tree, true))
        CHECK(name_of(finding.flaw) == std::string("leftover"));
}

// As a kill leaves it between its rename and its record.
TEST_CASE("a copied page that is newer than the state links to nothing that is not here") {
    Copying world;
    const ProjectName foo = *ProjectName::parse("foo");
    const std::string file = "packages/source/x/foo/foo-2.0.tar.gz";
    world.show("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    State::Change change(world.state);
    world.state.enqueue(foo, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
    world.state.intend(foo, file);
    change.commit();
    const auto expected = [&](const std::vector<std::string>& findings) {
        std::vector<std::string> found;
        for (const Finding& finding : verify(world.state, world.tree, true))
            found.push_back(fmt::format("{} {}", name_of(finding.flaw), finding.path));
        CHECK(found == findings);
    };
    const std::string page = "web/simple/foo/index.html", v1 = "web/simple/foo/index.v1_html";
    world.put("simple/foo/index.html", world.pages["foo"]);
    expected({"dead_link " + page});
    world.put(file, "foo-2.0.tar.GZ");
    expected({"dead_link " + page});
    world.put(file, "foo-2.0.tar.gz");
    expected({});
    world.put("simple/foo/index.html", world.pages["foo"].substr(0, 100));
    expected({"wrong_bytes " + page, "wrong_bytes " + v1});
}

TEST_CASE("a copied page's file is not replaced before its page") {
    Copying world;
    world.policy.patience = 0ms;
    const std::string file = "packages/source/x/foo/foo-1.0.tar.gz";
    const auto md5_of = [](const std::string& bytes) {
        Hasher md5(Algorithm::md5);
        md5.update(bytes);
        return to_hex(md5.finish());
    };
    world.show("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    std::string& page = world.pages["foo"];
    const std::string before = md5_of("foo-1.0.tar.gz");
    page.replace(page.find(before), before.size(), md5_of("other bytes"));
    world.network.answers[at + "/" + file] = {"other bytes", "application/octet-stream"};
    world.network.answers[Copying::page_at("foo")] = {page, "text/html"};
    world.sign("foo");
    const std::string second = at + "/packages/source/x/foo/foo-2.0.tar.gz";
    const auto well = world.network.answers.at(second);
    world.network.answers.erase(second);
    world.tell("foo", "new release");
    world.sync();
    CHECK(world.left == 1);
    CHECK(world.network.asked[at + "/" + file] == 1);
    CHECK(world.bytes(file) == "foo-1.0.tar.gz");
    for (const Finding& finding : verify(world.state, world.tree, true))
        CHECK(name_of(finding.flaw) == std::string("leftover"));

    world.network.answers[second] = well;
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.network.asked[at + "/" + file] == 0);
    CHECK(world.bytes(file) == "other bytes");
    CHECK(world.is_current("foo"));
}
