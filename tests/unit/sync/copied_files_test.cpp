// What copied pages name: nothing that is not there, or not as they say.
#include <fmt/format.h>

#include "pep381d/sync/verification.h"

#include "support/copying.h"

using namespace pep381d;
using namespace sample;

namespace {

// The master replaces foo's file in its place, and adds another.
struct Replacing : Copying {
    const std::string file = "packages/source/x/foo/foo-1.0.tar.gz";
    const std::string second = "packages/source/x/foo/foo-2.0.tar.gz";

    Replacing() {
        show("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
        std::string& page = pages["foo"];
        const std::string before = md5_of("foo-1.0.tar.gz");
        page.replace(page.find(before), before.size(), md5_of("other bytes"));
        network.answers[at(file)] = {"other bytes", "application/octet-stream"};
        network.answers[page_at("foo")] = {page, "text/html"};
        sign("foo");
        tell("foo", "new release");
    }
    static std::string at(const std::string& path) { return std::string(master) + "/" + path; }
    static std::string md5_of(const std::string& bytes) {
        Hasher md5(Algorithm::md5);
        md5.update(bytes);
        return to_hex(md5.finish());
    }
    void is_as_before() {
        const auto before = shown("foo");
        sync();
        CHECK(left == 1);
        CHECK(bytes(file) == "foo-1.0.tar.gz");
        CHECK(shown("foo") == before);
        for (const Finding& finding : verify(state, tree, true))
            CHECK((!is_fault(finding.flaw) || finding.path.starts_with("web/" + second)));
    }
};

}  // namespace

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
    Replacing world;
    SECTION("when another file of it cannot be had") {
        const auto well = world.network.answers.at(Replacing::at(world.second));
        world.network.answers.erase(Replacing::at(world.second));
        world.is_as_before();
        CHECK(world.network.asked[Replacing::at(world.file)] == 1);
        world.network.answers[Replacing::at(world.second)] = well;
        world.clock.advance(1h);
        world.sync();
        CHECK(world.network.asked[Replacing::at(world.file)] == 0);
    }
    SECTION("when something lies in the place of another one") {
        world.put(world.second + "/somebody's", "file");
        world.is_as_before();
        std::filesystem::remove_all(world.directory.path() / "web" / world.second);
        world.clock.advance(1h);
        world.sync();
    }
    CHECK(world.left == 0);
    CHECK(world.bytes(world.file) == "other bytes");
    CHECK(world.is_current("foo"));
}

TEST_CASE("of a lost state's copied page no file is replaced before it") {
    Replacing world;
    world.lose_state();
    const auto before = world.shown("foo");
    const auto well = world.network.answers.at(Replacing::at(world.second));
    world.network.answers.erase(Replacing::at(world.second));
    world.sync();
    CHECK(world.left == 1);
    CHECK(world.bytes(world.file) == "foo-1.0.tar.gz");
    CHECK(world.shown("foo") == before);
    world.network.answers[Replacing::at(world.second)] = well;
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.bytes(world.file) == "other bytes");
    CHECK(world.is_current("foo"));
}

TEST_CASE("after a kill a copied page stays where all is there that it links to") {
    Replacing world;
    const auto [before, signature] = world.shown("foo");
    const std::string html = "simple/foo/index.html", v1 = "simple/foo/index.v1_html";
    {
        State::Change change(world.state);
        for (const std::string& path : {world.file, world.second})
            world.state.intend(*ProjectName::parse("foo"), path);
        change.commit();
    }
    world.network.fail(Replacing::page_at("foo"), Fault::retry_later, "HTTP 503");
    const auto put = [&](const std::string& path, const std::string& bytes) {
        std::filesystem::remove(world.directory.path() / "web" / path);
        world.put(path, bytes);
    };
    bool stays = true;
    SECTION("it, and its file") {}
    SECTION("the next one, and its file") {
        for (const std::string& path : {html, v1}) put(path, world.pages["foo"]);
        std::string json = world.page_of("foo");
        const std::string old = Replacing::md5_of("foo-1.0.tar.gz");
        put("simple/foo/index.v1_json",
            json.replace(json.find(old), old.size(), Replacing::md5_of("other bytes")));
        put(world.file, "other bytes");
        put(world.second, "foo-2.0.tar.gz");
    }
    SECTION("not it, with the file of the next one") {
        put(world.file, "other bytes");
        stays = false;
    }
    SECTION("not the next one in one format alone") {
        put(html, world.pages["foo"]);
        put(world.file, "other bytes");
        put(world.second, "foo-2.0.tar.gz");
        stays = false;
    }
    const std::string lies = world.bytes(html);
    world.sync();
    CHECK(world.left == 1);
    CHECK((world.bytes(html) == lies) == stays);
    CHECK(world.bytes(v1) == world.bytes(html));
    CHECK((world.shown("foo").second == signature) == stays);
    for (const Finding& finding : verify(world.state, world.tree, true))
        CHECK_FALSE(finding.path.starts_with("web/simple/"));
}

TEST_CASE("a copied page stays beside its signature where one of them cannot be replaced") {
    Copying world;
    const auto web = world.directory.path() / "web";
    const auto place = web / GENERATE("simple/foo", "serversig");
    const auto elsewhere = world.directory.path() / "elsewhere";
    const auto before = world.shown("foo");
    std::filesystem::rename(place, elsewhere);
    std::filesystem::create_directory_symlink(elsewhere, place);
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.sync();
    CHECK(world.left == 1);
    CHECK(world.shown("foo") == before);
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));

    std::filesystem::remove(place);
    std::filesystem::rename(elsewhere, place);
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
}
