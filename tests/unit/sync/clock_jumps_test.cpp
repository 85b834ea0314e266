// Somebody sets the clock, hours forward or back: back-offs may change, and nothing else does.
#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

namespace {

std::string last_modified(World& world) {
    return world.bytes("last-modified");
}
std::string now(World& world) {
    return format_basic(world.clock.now()) + "\n";
}

}  // namespace

TEST_CASE("a clock that was ahead does not leave a last-modified from the future") {
    World world;
    world.publish(foo);
    world.clock.jump(24h * 365);
    REQUIRE_FALSE(world.pass());
    CHECK(last_modified(world) == now(world));
    world.clock.jump(-24h * 365);
    world.clock.advance(60s);
    REQUIRE_FALSE(world.pass());
    CHECK(last_modified(world) == now(world));
    world.clock.advance(60s);
    REQUIRE_FALSE(world.pass());
    CHECK(last_modified(world) == now(world));
}

TEST_CASE("a clock that jumps forward loses nothing") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.clock.jump(24h * 365);
    world.network.answers.erase(World::url(foo));
    world.event("bar", "new release", 9);
    auto newer = bar;
    newer.serial = Serial{9};
    world.publish(newer);
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.state.pending() == 0);
    CHECK(last_modified(world) == now(world));
}

TEST_CASE("a try that a wrong clock put off for a year is made when the clock is right") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto name = *ProjectName::parse("foo");
    const Time future = world.clock.now() + 24h * 365;
    {
        State::Change change(world.state);
        world.state.enqueue(name, "foo", Serial{5}, Loss::nothing, future, true);
        world.state.postpone(name, future, future, {Fault::gone, "404"});
        world.state.note_stale(name, future);
        world.state.note_unexplained_loss(name, future);
        change.commit();
    }
    State::Change change(world.state);
    const Time now = world.clock.now();
    world.state.set_back_clock(now, now + longest_wait, now);
    const auto queued = world.state.queued(name);
    REQUIRE(queued);
    CHECK(queued->not_before <= now);
    CHECK(queued->first_failed == now);
    CHECK(queued->stale_since == now);
    CHECK(queued->loss_seen == now);
    // What failed an hour ago, as the clock now counts, holds nothing back.
    world.state.record_poll(now + 1h);
    CHECK(world.state.handled_until(now + 1h + 1ms) == now + 1h);
    change.commit();
}

TEST_CASE("pauses that are meant stay as they are") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto name = *ProjectName::parse("foo");
    const Time now = world.clock.now();
    State::Change change(world.state);
    world.state.enqueue(name, "foo", Serial{5}, Loss::nothing, now, true);
    world.state.postpone(name, now + 23h, now, {Fault::retry_later, "asked to wait"});
    world.state.put_down("packages/aa/x", now + 10min);
    world.state.set_back_clock(now, now + longest_wait, now + 15min);
    CHECK(world.state.queued(name)->not_before == now + 23h);
    CHECK(world.state.next_removal() == now + 10min);
    world.state.set_back_clock(now, now + longest_wait, now + 5min);
    CHECK(world.state.next_removal() == now + 5min);
    change.commit();
}

TEST_CASE("a list from the future is followed by one of now") {
    World world;
    world.publish(foo);
    world.clock.jump(24h * 365);
    REQUIRE_FALSE(world.pass());
    world.clock.jump(-24h * 365);
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked["list_packages_with_serial"] == 1);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked["list_packages_with_serial"] == 1);
}
