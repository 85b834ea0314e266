// What looks like a removal and is none, and removals that something else is in the way of.
#include <thread>

#include "pep381d/sync/freshness.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

TEST_CASE("an hour of other failures does not make the first 404 the third") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.event("foo", "add Owner someone", 9);
    SECTION("the master was ill") {
        world.network.fail(World::url(foo), Fault::retry_later, "HTTP 503");
    }
    SECTION("a file of it could not be had") {
        auto more = foo;
        more.serial = Serial{9};
        more.files.push_back(sdist("foo-2.0.tar.gz"));
        world.publish(more);
        world.network.answers.erase(more.files.back().url);
    }
    for (int look = 0; look < 5; ++look) {
        world.clock.advance(20min);
        REQUIRE_FALSE(world.pass());
    }
    CHECK(world.state.pending() == 1);
    // It comes back, with half of its names.
    world.network.answers.erase(World::url(foo));
    world.listed.erase("foo");
    world.policy.reconcile_interval = 1ms;
    world.clock.advance(1min);
    for (int look = 0; look < 4; ++look) {
        world.clock.advance(10min);
        REQUIRE_FALSE(world.pass());
        CHECK(world.there("simple/foo/index.html"));
    }
    world.clock.advance(30min);
    REQUIRE_FALSE(world.pass());
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo"));
}

TEST_CASE("what a filter no longer wanted, and wants again, is not removed by a 404") {
    World world;
    for (int i = 0; i < 30; ++i) {
        const std::string name = "p" + std::to_string(i);
        world.publish(page(name, 10 + i, {sdist(name + "-1.0.tar.gz")}));
    }
    REQUIRE_FALSE(world.pass());
    world.policy.filter = Filter({"*"}, {"p*"});
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.state.held() == 30);
    world.policy.filter = Filter({"*"}, {});
    world.network.answers.erase(World::url(page("p3", 13, {})));
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/p3"));
    CHECK(world.removals().empty());
}

TEST_CASE("a removed project takes along what waits for the end of its grace") {
    World world;
    world.policy.grace = 15min;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.publish(foo_without_sdist(9));
    world.event("foo", "remove release", 9);
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.there(*file_path(foo.files[1])));
    SECTION("the master removes it") {
        world.network.answers.erase(World::url(foo));
        world.event("foo", "remove project", 10);
    }
    SECTION("the configuration blocks it") {
        world.policy.filter = Filter({"*"}, {"foo"});
    }
    SECTION("the master quarantines it") {
        auto none = page("foo", 10, {});
        none.status = {"quarantined", "it steals tokens"};
        none.members = R"("project-status":{"status":"quarantined"},"versions":[])";
        world.publish(none);
        world.event("foo", "project quarantined", 10);
    }
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
}

TEST_CASE("a takedown takes files that came before their page") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    const ProjectPage evil = page("evil", 9, {sdist("evil-1.0.tar.gz")});
    {
        File file = evil.files[0];
        file.path = *file_path(file);
        file.held = true;
        State::Change change(world.state);
        world.state.record_file(evil.name, "evil", file);
        world.state.enqueue(evil.name, "evil", Serial{9}, Loss::nothing, world.clock.now(), true);
        world.state.postpone(evil.name, world.clock.now() + 1h, world.clock.now(),
                             {Fault::retry_later, "x"});
        change.commit();
    }
    world.put(*file_path(evil.files[0]), "evil-1.0.tar.gz");
    world.network.answers.clear();
    world.policy.filter = Filter({"*"}, {"evil"});
    {
        Staging staging(world.tree);
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, true);
        committer.start([] {});
        for (int i = 0; i < 3000 && world.there(*file_path(evil.files[0])); ++i) {
            std::this_thread::sleep_for(10ms);
            committer.check();
        }
        committer.stop();
    }
    CHECK_FALSE(world.there(*file_path(evil.files[0])));
    CHECK(world.removals().size() == 1);
}

TEST_CASE("what was kept goes when deletes.policy no longer keeps it") {
    World world;
    world.policy.keep_deleted = world.policy.page.keep = true;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.publish(foo_without_sdist(9));
    world.event("foo", "remove release", 9);
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.there(*file_path(foo.files[1])));
    world.network.answers.erase(World::url(bar));
    world.listed.erase("bar");
    world.event("bar", "remove project", 10);
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.there("simple/bar/index.html"));

    world.policy.keep_deleted = world.policy.page.keep = false;
    world.network.not_modified = true;
    for (int i = 0; i < 4; ++i) {
        world.clock.advance(25h);
        REQUIRE_FALSE(world.pass());
    }
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.state.pending() == 0);
}

TEST_CASE("status names what a pause of the master has kept from being asked for") {
    World world;
    std::vector<std::string> names;
    for (int i = 0; i < 30; ++i) names.push_back("p" + std::to_string(i));
    for (const std::string& name : names) world.publish(page(name, 10, {}));
    REQUIRE_FALSE(world.pass());
    world.policy.master_requests = 2;
    world.hooks.report = [&](const Progress&) { world.clock.advance(1ms); };
    for (const std::string& name : names) {
        world.event(name, "add Owner someone", 20);
        world.network.fail(World::url(page(name, 10, {})), Fault::retry_later, "HTTP 503");
    }
    REQUIRE_FALSE(world.pass());
    const Status status = survey(world.state, world.policy, world.clock.now(), 1000);
    CHECK(status.pending == 30);
    CHECK(status.failed < 30);
    CHECK(status.failing.size() == 30);
    for (const FailingProject& project : status.failing)
        if (project.attempts == 0) CHECK(project.next_try == world.clock.now());
    CHECK(survey(world.state, world.policy, world.clock.now(), 7).failing.size() == 7);
}
