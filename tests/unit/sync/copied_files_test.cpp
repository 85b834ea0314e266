// What copied pages name: nothing that is not there, or not as they say.
#include <fmt/format.h>

#include "pep381d/sync/verification.h"

#include "support/copying.h"

using namespace pep381d;
using namespace sample;

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
    world.network.answers[std::string(master) + "/" + file] = {"other bytes",
                                                               "application/octet-stream"};
    world.network.answers[Copying::page_at("foo")] = {page, "text/html"};
    world.sign("foo");
    const std::string second = std::string(master) + "/packages/source/x/foo/foo-2.0.tar.gz";
    const auto well = world.network.answers.at(second);
    world.network.answers.erase(second);
    world.tell("foo", "new release");
    world.sync();
    CHECK(world.left == 1);
    CHECK(world.network.asked[std::string(master) + "/" + file] == 1);
    CHECK(world.bytes(file) == "foo-1.0.tar.gz");
    for (const Finding& finding : verify(world.state, world.tree, true))
        CHECK(name_of(finding.flaw) == std::string("leftover"));

    world.network.answers[second] = well;
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.network.asked[std::string(master) + "/" + file] == 0);
    CHECK(world.bytes(file) == "other bytes");
    CHECK(world.is_current("foo"));
}
