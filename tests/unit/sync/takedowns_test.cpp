// What the operator alone decides: what is kept against the master, and what goes against it.
#include <thread>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

TEST_CASE("what the master removes stays where the policy is to keep it") {
    World world;
    world.policy.keep_deleted = world.policy.page.keep = true;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.publish(foo_without_sdist(8));
    world.event("foo", "remove release", 8);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    world.network.answers.erase(World::url(foo));
    world.listed.erase("foo");
    world.event("foo", "remove project", 9);
    REQUIRE_FALSE(world.pass());
    world.clock.advance(25h);
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/foo/index.html"));
    for (const File& file : foo.files) CHECK(world.there(*file_path(file)));
    CHECK(world.state.pending() == 0);
    REQUIRE(world.removals().size() == 1);
    CHECK(world.removals()[0].kind == RemovalKind::kept);

    SECTION("but not what filter.block names") {
        world.policy.filter = Filter({"*"}, {"Foo"});
        REQUIRE_FALSE(world.pass());
        CHECK_FALSE(world.there("simple/foo"));
        for (const File& file : foo.files) CHECK_FALSE(world.there(*file_path(file)));
        CHECK(world.removals()[0].kind == RemovalKind::blocked);
    }
    SECTION("nor what is quarantined") {
        world.publish(quarantined_foo(10));
        world.event("foo", "project quarantined", 10);
        REQUIRE_FALSE(world.pass());
        for (const File& file : foo.files) CHECK_FALSE(world.there(*file_path(file)));
    }
}

TEST_CASE("a takedown waits for neither the master nor the guard, a pattern for the guard") {
    World world;
    std::vector<std::string> names;
    for (int i = 0; i < 30; ++i) {
        names.push_back("p" + std::to_string(i));
        world.publish(page(names.back(), 10 + i, {sdist(names.back() + "-1.0.tar.gz")}));
    }
    REQUIRE_FALSE(world.pass());
    names.resize(20);
    SECTION("by name, while the master is down and much else waits for it") {
        {
            State::Change change(world.state);
            for (int i = 0; i < 2000; ++i)
                world.state.enqueue(*ProjectName::parse("aa" + std::to_string(i)), "", Serial{9},
                                    Loss::nothing, Time{}, true);
            change.commit();
        }
        world.network.answers.clear();
        world.policy.filter = Filter({"*"}, names);
        Staging staging(world.tree);
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, true);
        committer.start([] {});
        for (int i = 0; i < 1000 && world.there("simple/p3"); ++i) {
            std::this_thread::sleep_for(10ms);
            committer.check();
        }
        committer.stop();
        CHECK_FALSE(world.there("simple/p3"));
        CHECK_FALSE(world.there("simple/p19"));
        CHECK(world.there("simple/p20"));
        CHECK(world.state.held() == 0);
        CHECK(world.removals().size() == 20);
        CHECK_THAT(world.bytes("simple/index.html"), !ContainsSubstring("p19"));
    }
    SECTION("by pattern") {
        world.policy.filter = Filter({"*"}, {"p*"});
        REQUIRE_FALSE(world.pass());
        CHECK(world.there("simple/p3"));
        CHECK(world.state.held() == 30);
        {
            State::Change change(world.state);
            world.state.allow_held();
            change.commit();
        }
        REQUIRE_FALSE(world.pass());
        CHECK_FALSE(world.there("simple/p3"));
        CHECK(world.removals().size() == 30);
        CHECK(world.removals()[0].kind == RemovalKind::unwanted);
    }
}
