// What looks like a removal and is none, and removals that something else is in the way of.
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
