// What goes, when, and what stays (design 2.5).
#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

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
    CHECK(world.left == 0);
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

TEST_CASE("a page that loses files without a reason is looked at again ten minutes later") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.publish(foo_without_sdist(9));
    world.event("foo", "add Owner someone", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    world.clock.advance(11min);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
}

TEST_CASE("an event that comes while a page is read explains the files that it lacks") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.state.enqueue(foo.name, "foo", Serial{9}, Loss::files, world.clock.now(), true);
    Rulings(world.state, world.tree, world.policy, world.clock, world.log).page_loses({foo.name});
    CHECK(world.state.queued(foo.name)->not_before <= world.clock.now());
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

TEST_CASE("what a kill left half placed is removed, unless another project has it") {
    World world;
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    const std::string theirs = *file_path(bar.files[0]);
    const std::string stray = "packages/aa/bb/stray-1.0.tar.gz";
    {
        State::Change change(world.state);
        world.state.intend(foo.name, theirs);
        world.state.intend(foo.name, stray);
        change.commit();
    }
    world.put(stray, "half placed");
    auto newer = foo;
    newer.serial = Serial{9};
    world.publish(newer);
    world.event("foo", "create", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(stray));
    CHECK(world.there(theirs));
    CHECK(world.state.intended().empty());
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

TEST_CASE("whoever stops the mirror does not wait for the last of many removals") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    {
        State::Change change(world.state);
        for (int i = 0; i < 20'000; ++i)
            world.state.put_down("packages/aa/" + std::to_string(i), Time{});
        change.commit();
    }
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, true);
    committer.start([] {});
    committer.stop();
    committer.check();
    CHECK(world.state.files_to_remove(world.clock.now(), 20'000).size() > 10'000);
}

TEST_CASE("a removal of what was never here asks for no list") {
    World world;
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.network.fail(World::url(foo), Fault::retry_later, "GET foo: HTTP 503");
    world.event("foo", "remove project", 9);
    const int lists = world.network.asked["list_packages_with_serial"];
    for (int look = 0; look < 3; ++look) {
        REQUIRE_FALSE(world.pass());
        world.clock.advance(5min);
    }
    CHECK(world.network.asked["list_packages_with_serial"] == lists);
    CHECK(world.state.pending() == 0);
    CHECK(world.removals().empty());
}

TEST_CASE("a removal is looked at even where the page shows a newer serial") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    // The page told of a serial that the journal reached by this event.
    auto newer = foo;
    newer.serial = Serial{9};
    world.publish(newer);
    world.event("foo", "add Owner someone", 9);
    REQUIRE_FALSE(world.pass());
    world.network.answers.erase(World::url(foo));
    world.event("foo", "remove project", 9);
    world.newest = 10;
    REQUIRE(world.pass());  // the journal ends before its newest
    world.newest = 9;
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo"));
}

TEST_CASE("a quarantined release loses its files at once, a removed one after the grace") {
    World world;
    world.policy.grace = 15min;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const std::string gone = *file_path(foo.files[1]);
    world.publish(foo_without_sdist(9));
    world.event("foo", "release quarantined", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_FALSE(world.there(gone));
    CHECK_THAT(world.removals().at(0).cause, ContainsSubstring("quarantined a release"));

    auto cleared = foo;
    cleared.serial = Serial{10};
    world.publish(cleared);
    world.event("foo", "release quarantine cleared", 10);
    REQUIRE_FALSE(world.pass());
    CHECK(world.there(gone));

    world.publish(foo_without_sdist(11));
    world.event("foo", "remove release", 11);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
    CHECK(world.there(gone));
    world.clock.advance(16min);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(gone));
}

TEST_CASE("a stale page is believed after an hour, but not against a quarantine") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto believed_after = [&](const char* action, std::chrono::milliseconds time) {
        world.event("foo", action, 9);
        for (const auto pause : {0ms, 10min + 0ms, time - 20min}) {
            world.clock.advance(pause);
            REQUIRE_FALSE(world.pass());
            CHECK(world.state.pending() == 1);
        }
        world.clock.advance(11min);
        REQUIRE_FALSE(world.pass());
        return world.state.pending() == 0;
    };
    SECTION("another event") {
        CHECK(believed_after("add Owner someone", 1h));
    }
    SECTION("a removed file") {
        CHECK(believed_after("remove release", 24h));
    }
    SECTION("a quarantine") {
        CHECK_FALSE(believed_after("project quarantined", 100h));
    }
}

TEST_CASE("what somebody has put in the place of a removed file holds up nothing") {
    SyncWorld world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const std::string path = *file_path(foo.files[1]);
    std::filesystem::remove(world.directory.path() / "web" / path);
    world.put(path + "/mine", "x");
    world.publish(foo_without_sdist(8));
    world.event("foo", "remove file foo-1.0.tar.gz", 8);
    CHECK_FALSE(world.pass());
    CHECK(world.page_of("foo").find("foo-1.0.tar.gz") == std::string::npos);
    CHECK(world.bytes(path + "/mine") == "x");
    CHECK_FALSE(world.state.next_removal());
    CHECK_FALSE(world.pass());
}

TEST_CASE("what leaves the list while a file of it is on its way is looked at again") {
    SyncWorld world;
    world.policy.protocol = Protocol::simple;
    const auto list = [](const std::string& names) {
        return R"({"meta":{"api-version":"1.0"},"projects":[)" + names + "]}";
    };
    auto& root = world.network.answers[std::string(master) + "/simple/"];
    world.publish(bar);
    SECTION("shown before") {
        root = {list(R"({"name":"bar"},{"name":"foo"})")};
        world.publish(foo_without_sdist(0));
        REQUIRE_FALSE(world.pass());
        REQUIRE(world.left == 0);
        world.state.enqueue(foo.name, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
    }
    SECTION("seen for the first time") {
        root = {list(R"({"name":"bar"})")};
        REQUIRE_FALSE(world.pass());
        root = {list(R"({"name":"bar"},{"name":"foo"})")};
    }
    world.publish(foo);
    Staging staging(world.tree);
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
    Engine engine(world.network, staging, committer, world.policy, world.clock, world.log, false,
                  world.hooks);
    bool gone = false;
    world.network.before = [&](const std::string& key) {
        if (!key.ends_with("/foo-1.0.tar.gz") || std::exchange(gone, true)) return;
        world.network.answers.erase(SyncWorld::url(foo));
        world.put("../staging/other", list(R"({"name":"bar"})"));
        committer.send(ListArrived{world.clock.now(),
                                   "staging/other",
                                   ListForm::root_json,
                                   "",
                                   "",
                                   false,
                                   {Protocol::simple, {}, Dated::not_asked, 0}});
    };
    committer.start([] {});
    REQUIRE_FALSE(engine.pass(true));
    committer.stop();
    committer.check();
    CHECK(gone);
    CHECK(world.there(*file_path(foo.files[1])));
    CHECK(world.state.pending() == 1);
    CHECK_FALSE(world.cause_of("foo").empty());
}
