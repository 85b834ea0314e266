// The whole way of a change, with a scripted network, a clock of the test's own, and the real disk
// and database.
#include "pep381d/sync/engine.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "pep381d/pages/project_page.h"
#include "pep381d/tree/directory_tree.h"

#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/sample_page.h"
#include "support/scripted_transport.h"
#include "support/silent_log.h"
#include "support/temporary_directory.h"

using namespace pep381d;
using namespace sample;
using namespace std::chrono_literals;

namespace {

constexpr const char* master = "https://master.example";

std::string serial_answer(std::int64_t serial) {
    return "<?xml version='1.0'?><methodResponse><params><param><value><int>" +
           std::to_string(serial) + "</int></value></param></params></methodResponse>";
}

struct World {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};
    State state{directory.path() / "state.db", State::Access::write};
    ManualClock clock;
    SilentLog log;
    Policy policy;
    ScriptedTransport network;
    std::map<std::string, std::int64_t> listed;  // what the master's list says
    std::string events;                          // rows of its changelog
    std::int64_t newest = 0;
    bool cut_list = false;

    World() {
        policy.master = master;
        policy.master_shown = master;
        policy.patience = 0ms;
    }

    // The master has this page, and the files that it names.
    void publish(const ProjectPage& page) {
        ProjectPage as_master = page;
        for (File& file : as_master.files) {
            network.answers[file.url] = {file.name.text(), "application/octet-stream"};
            if (file.core_metadata.offered)
                network.answers[file.url + ".metadata"] = {"metadata of " + file.name.text(),
                                                           "text/plain"};
        }
        network.answers[url(page)] = {project_json(as_master)};
        listed[page.name.text()] = page.serial.value;
        newest = std::max(newest, page.serial.value);
    }
    void event(const std::string& name, const std::string& action, std::int64_t serial) {
        events += "<value><array><data><value><string>" + name +
                  "</string></value><value><nil/></value><value><int>1</int>" +
                  "</value><value><string>" + action + "</string></value><value><int>" +
                  std::to_string(serial) + "</int></value></data></array></value>";
        newest = std::max(newest, serial);
    }
    static std::string url(const ProjectPage& page) {
        return std::string(master) + "/simple/" + page.name.text() + "/";
    }

    std::optional<Failure> pass() {
        std::string list = "<?xml version='1.0'?><methodResponse><params><param><value><struct>";
        for (const auto& [name, serial] : listed)
            list += "<member><name>" + name + "</name><value><int>" + std::to_string(serial) +
                    "</int></value></member>";
        network.answers["list_packages_with_serial"] = {
            list + "</struct></value></param></params></methodResponse>", "text/xml"};
        if (cut_list) {
            auto& body = network.answers["list_packages_with_serial"].body;
            body.resize(body.size() - 60);
        }
        network.answers["changelog_last_serial"] = {serial_answer(newest), "text/xml"};
        network.answers["changelog_since_serial"] = {
            "<?xml version='1.0'?><methodResponse><params><param><value><array><data>" + events +
                "</data></array></value></param></params></methodResponse>",
            "text/xml"};
        Staging staging(tree);
        Committer committer(state, tree, policy, clock, log, false);
        Engine engine(network, staging, committer, policy, clock, log, state.any_intended(), {});
        committer.start([] {});
        const auto failure = engine.pass(true);
        committer.stop();
        committer.check();
        events.clear();
        return failure;
    }

    bool there(const std::string& path) {
        return std::filesystem::exists(directory.path() / "web" / path);
    }
    std::string bytes(const std::string& path) {
        std::ifstream file(directory.path() / "web" / path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string page_of(const std::string& name) {
        return bytes("simple/" + name + "/index.v1_json");
    }
    std::string cause_of(const std::string& name) {
        for (const auto& project : state.failing_projects(1000))
            if (project.name == name) return project.cause;
        return {};
    }
};

const ProjectPage foo =
    page("foo", 5, {wheel("foo-1.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")});
const ProjectPage bar = page("bar", 7, {sdist("bar-1.0.tar.gz")});

}  // namespace

TEST_CASE("a first pass publishes pages, files, metadata, the root index and last-modified") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes(*file_path(foo.files[0])) == "foo-1.0-py3-none-any.whl");
    CHECK(world.bytes(*file_path(foo.files[0]) + ".metadata") ==
          "metadata of foo-1.0-py3-none-any.whl");
    CHECK(world.bytes(*file_path(bar.files[0])) == "bar-1.0.tar.gz");
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":5"));
    CHECK_THAT(world.bytes("simple/index.v1_json"),
               ContainsSubstring("{\"_last-serial\":7,\"name\":\"bar\"}"));
    CHECK_THAT(world.bytes("simple/index.html"), ContainsSubstring("href=\"foo/\""));
    CHECK(world.bytes("last-modified").size() == 18);
    CHECK(world.state.pending() == 0);
    CHECK(world.state.totals().files == 3);
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("a poll that finds nothing asks one question") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto before = world.bytes("last-modified");
    world.network.asked.clear();
    world.clock.advance(60s);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked == std::map<std::string, int>{{"changelog_last_serial", 1}});
    CHECK(world.bytes("last-modified") > before);
}

TEST_CASE("an event fetches its project and what is new in it, nothing else") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.network.asked.clear();
    auto more = foo;
    more.serial = Serial{9};
    more.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(more);
    world.event("Foo", "add source file foo-2.0.tar.gz", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked == std::map<std::string, int>{{"changelog_last_serial", 1},
                                                            {"changelog_since_serial", 1},
                                                            {World::url(foo), 1},
                                                            {more.files[2].url, 1}});
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
}

TEST_CASE("a file that cannot be had leaves its page, not its project") {
    World world;
    world.publish(foo);
    world.network.fail(foo.files[1].url, Fault::gone, "GET x: HTTP 404");
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":0"));
    CHECK(world.cause_of("foo") == "GET x: HTTP 404");
    CHECK_FALSE(world.there("last-modified"));

    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":5"));
    CHECK(world.network.asked[foo.files[0].url] == 1);
    CHECK(world.state.pending() == 0);
    CHECK(world.there("last-modified"));
}

TEST_CASE("bytes that are not what the page says are never published") {
    World world;
    world.publish(foo);
    world.network.answers[foo.files[1].url].body = "FOO-1.0.tar.gz";
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("sha256"));
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("metadata that cannot be had is not offered") {
    World world;
    world.publish(foo);
    world.network.fail(foo.files[0].url + ".metadata", Fault::gone, "GET m: HTTP 404");
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0-py3-none-any.whl"));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("\"core-metadata\":{"));
    CHECK(world.cause_of("foo") == "GET m: HTTP 404");
}

TEST_CASE("a removed project goes with its page and its files") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.network.answers.erase(World::url(foo));
    world.event("foo", "remove project", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo"));
    CHECK_FALSE(world.there(*file_path(foo.files[0])));
    CHECK_FALSE(world.there(*file_path(foo.files[0]) + ".metadata"));
    CHECK(world.there(*file_path(bar.files[0])));
    CHECK_THAT(world.bytes("simple/index.html"), !ContainsSubstring("foo"));
    CHECK(world.state.pending() == 0);
}

TEST_CASE("a 404 without an event deletes nothing before an hour, three looks and a fresh list") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.network.answers.erase(World::url(foo));
    world.event("foo", "add Owner someone", 9);
    world.listed.erase("foo");
    for (int look = 0; look < 3; ++look) {
        world.clock.advance(5min);
        REQUIRE_FALSE(world.pass());
        CHECK(world.there("simple/foo/index.html"));
    }
    world.clock.advance(61min);
    REQUIRE_FALSE(world.pass());
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo"));
}

TEST_CASE("a stale page is not published, and a newer one later is") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.event("foo", "new release", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("shows serial 5, the journal 9"));
    auto newer = foo;
    newer.serial = Serial{9};
    newer.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(newer);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
    CHECK(world.state.pending() == 0);
}

TEST_CASE("a page that loses files without a reason is looked at again ten minutes later") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    auto less = foo;
    less.serial = Serial{9};
    less.files.pop_back();
    world.publish(less);
    world.event("foo", "add Owner someone", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    world.clock.advance(11min);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
}

TEST_CASE("files that came before their page can be lost without a reason") {
    World world;
    {
        // As a kill leaves it: one file recorded, the page never shown.
        File file = foo.files[1];
        file.path = *file_path(file);
        file.held = true;
        State::Change change(world.state);
        world.state.record_file(foo.name, "foo", file);
        change.commit();
    }
    auto less = foo;
    less.files.pop_back();
    world.publish(less);
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.pending() == 0);
    CHECK(world.there("simple/foo/index.html"));
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
}

TEST_CASE("a file that two projects name outlives one of them") {
    World world;
    auto second = bar;
    second.files.push_back(foo.files[1]);
    world.publish(foo);
    world.publish(second);
    REQUIRE_FALSE(world.pass());
    world.network.answers.erase(World::url(foo));
    world.event("foo", "remove project", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo"));
    CHECK_FALSE(world.there(*file_path(foo.files[0])));
    CHECK(world.bytes(*file_path(foo.files[1])) == foo.files[1].name.text());

    world.network.answers.erase(World::url(bar));
    world.event("bar", "remove project", 10);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
}

TEST_CASE("no project takes another's place in the tree") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto takes = [&](const std::string& url, const std::string& name) {
        File file = sdist(name);
        file.url = url;
        world.publish(page("thief", 20, {sdist("thief-1.0.tar.gz"), file}));
        world.event("thief", "new release", 20);
    };
    const std::string place = foo.files[1].url.substr(foo.files[1].url.find("/packages/"));
    SECTION("with other bytes") {
        takes("https://elsewhere.example" + place, foo.files[1].name.text());
        world.network.answers[World::url(page("thief", 0, {}))].body.clear();
        File file = foo.files[1];
        file.url = "https://elsewhere.example" + place;
        file.digests = {{Algorithm::sha256, sha256("other bytes")}};
        file.size = 11;
        world.publish(page("thief", 20, {sdist("thief-1.0.tar.gz"), file}));
        world.network.answers[file.url] = {"other bytes", "application/octet-stream"};
    }
    SECTION("as a directory") {
        takes("https://elsewhere.example" + place + "/x.tar.gz", "x.tar.gz");
    }
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes(*file_path(foo.files[1])) == foo.files[1].name.text());
    CHECK_THAT(world.page_of("thief"), ContainsSubstring("thief-1.0.tar.gz"));
    const auto skipped = world.state.skipped(10);
    REQUIRE(skipped.size() == 1);
    CHECK_THAT(skipped[0].cause, ContainsSubstring(*file_path(foo.files[1])));
    CHECK(world.state.pending() == 0);
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("a quarantined project loses its files at once and gets them back") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    auto quarantined = page("foo", 9, {});
    quarantined.status.status = "quarantined";
    quarantined.members = R"("project-status":{"status":"quarantined"},"versions":[])";
    world.publish(quarantined);
    world.event("foo", "project quarantined", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("quarantined"));
    CHECK_FALSE(world.there(*file_path(foo.files[0])));
    CHECK_THAT(world.bytes("simple/index.html"), !ContainsSubstring("foo"));

    auto cleared = foo;
    cleared.serial = Serial{10};
    world.publish(cleared);
    world.event("foo", "project quarantine cleared", 10);
    REQUIRE_FALSE(world.pass());
    CHECK(world.there(*file_path(foo.files[0])));
    CHECK_THAT(world.bytes("simple/index.html"), ContainsSubstring("foo"));
}

TEST_CASE("the guard holds back many deletions and nothing else") {
    World world;
    for (int i = 0; i < 30; ++i) world.publish(page("p" + std::to_string(i), 10 + i, {}));
    REQUIRE_FALSE(world.pass());
    for (int i = 0; i < 12; ++i) {
        world.network.answers.erase(std::string(master) + "/simple/p" + std::to_string(i) + "/");
        world.event("p" + std::to_string(i), "remove project", 100 + i);
    }
    world.publish(page("new", 200, {sdist("new-1.0.tar.gz")}));
    world.event("new", "create", 200);
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.held() == 12);
    CHECK(world.there("simple/p3/index.html"));
    CHECK(world.there("simple/new/index.html"));

    {
        State::Change change(world.state);
        CHECK(world.state.allow_held() == 12);
        change.commit();
    }
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/p3"));
    CHECK(world.state.held() == 0);
}

TEST_CASE("a serial that runs backwards stops the poll and changes nothing") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.newest = 3;
    const auto failure = world.pass();
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("ran backwards, from 5 to 3"));
    CHECK(world.there("simple/foo/index.html"));
}

TEST_CASE("a list that is no good stops the first pass and leaves nothing") {
    World world;
    SECTION("empty") {}
    SECTION("cut off") {
        world.publish(foo);
        world.publish(bar);
        world.cut_list = true;
    }
    const auto failure = world.pass();
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("https://master.example/pypi"));
    CHECK(world.state.pending() == 0);
    CHECK_FALSE(world.there("last-modified"));
    CHECK_FALSE(world.there("simple"));
}

TEST_CASE("other formats are made from what the state holds") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.network.asked.clear();
    world.policy.html = false;
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo/index.html"));
    CHECK_FALSE(world.there("simple/foo/index.v1_html"));
    CHECK_FALSE(world.there("simple/index.html"));
    CHECK(world.there("simple/foo/index.v1_json"));
    world.policy.html = true;
    world.policy.json = false;
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.there("simple/index.html"));
    CHECK_FALSE(world.there("simple/foo/index.v1_json"));
    CHECK(world.network.asked == std::map<std::string, int>{{"changelog_last_serial", 2}});
}

TEST_CASE("a narrower filter drops what it leaves out, a wider one brings it back") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.policy.filter = Filter({"foo"}, {});
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.there("simple/foo/index.html"));
    world.policy.filter = Filter({"*"}, {});
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/bar/index.html"));
}

TEST_CASE("without files the pages link to the master, and with them again to the mirror") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.policy.page.files = false;
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"url\":\"" + foo.files[0].url));
    CHECK_FALSE(world.there(*file_path(foo.files[0])));
    world.policy.page.files = true;
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"url\":\"../../packages/"));
    CHECK(world.there(*file_path(foo.files[0])));
}
