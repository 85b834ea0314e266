// Too little room: nothing new is fetched, and nothing that is here is lost.
#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

TEST_CASE("a pass that finds too little room asks for nothing and says why") {
    World world;
    world.publish(foo);
    world.hooks.shortage = [] { return std::optional<std::string>("/disk: only 1 MiB"); };
    CHECK_THROWS_WITH(world.pass(), ContainsSubstring("/disk: only 1 MiB; free some space"));
    CHECK(world.network.asked.empty());
    CHECK(world.state.text(Note::shortage) == "/disk: only 1 MiB");
    world.hooks.shortage = [] { return std::optional<std::string>(); };
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.text(Note::shortage) == "");
    CHECK(world.state.pending() == 0);
}

TEST_CASE("a pass that runs out of room keeps what has arrived and removes what is due") {
    World world;
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.put("packages/aa/x", "x");
    {
        State::Change change(world.state);
        world.state.put_down("packages/aa/x", Time{});
        change.commit();
    }
    auto newer = foo;
    newer.serial = Serial{9};
    world.publish(newer);
    world.event("foo", "new release", 9);
    bool is_short = false;
    world.network.before = [&](const std::string& key) {
        if (key == foo.files[0].url) is_short = true;
    };
    world.hooks.shortage = [&] {
        return is_short ? std::optional<std::string>("/disk: full") : std::nullopt;
    };
    world.policy.file_requests = 1;
    CHECK_THROWS_AS(world.pass(), DiskFull);
    CHECK_FALSE(world.there("simple/foo"));
    CHECK_FALSE(world.there("packages/aa/x"));
    is_short = false;
    world.network.before = nullptr;
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.network.asked[foo.files[0].url] == 0);
}

TEST_CASE("a change that is undone takes with it what the state remembered of it") {
    World world;
    ProjectPage page = bar;
    page.files[0].path = *file_path(page.files[0]);
    {
        State::Change undone(world.state);
        world.state.record_page(page, "bar", "", Time{});
    }
    State::Change change(world.state);
    world.state.record_page(page, "bar", "", Time{});
    change.commit();
    CHECK(State(world.directory.path() / "state.db", State::Access::read)
              .page(page.name)
              ->files[0]
              .url == page.files[0].url);
}
