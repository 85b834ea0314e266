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

TEST_CASE("a pass that runs out of room publishes what has arrived and removes what is due") {
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
    CHECK_THAT(world.page_of("foo"), ContainsSubstring(foo.files[0].name.text()));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring(foo.files[1].name.text()));
    CHECK_FALSE(world.there("packages/aa/x"));
    is_short = false;
    world.network.before = nullptr;
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring(foo.files[1].name.text()));
    CHECK(world.network.asked[foo.files[0].url] == 0);
}

TEST_CASE("what the master removes does not wait for room") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.hooks.shortage = [] { return std::optional<std::string>("/disk: full"); };
    auto less = foo_without_sdist(9);
    less.files.push_back(wheel("foo-2.0-py3-none-any.whl"));
    world.publish(less);
    world.event("foo", "remove file foo-1.0.tar.gz", 8);
    world.event("foo", "new release", 9);
    world.network.answers.erase(World::url(bar));
    world.event("bar", "remove project", 10);
    world.publish(page("new", 11, {}));
    world.event("new", "create", 11);
    world.network.asked.clear();
    CHECK(world.run_until(
        [&] { return !world.there("simple/bar") && !world.there(*file_path(foo.files[1])); }));
    CHECK_FALSE(world.there(*file_path(bar.files[0])));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-2.0"));
    CHECK(world.network.asked[less.files[1].url] == 0);
    CHECK(world.network.asked[World::url(page("new", 11, {}))] == 0);
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("there is no room for it yet"));
}

TEST_CASE("what was handed out before the disk was full is done when there is room again") {
    World world;
    for (int i = 0; i < 40; ++i)
        world.publish(page("p" + std::to_string(10 + i), 1,
                           {sdist("p" + std::to_string(10 + i) + "-1.tar.gz")}));
    bool is_short = false;
    world.network.before = [&](const std::string& key) {
        if (key.ends_with("p15-1.tar.gz")) is_short = true;
    };
    world.hooks.shortage = [&] {
        return is_short ? std::optional<std::string>("/disk: full") : std::nullopt;
    };
    world.policy.file_requests = 2;
    CHECK(world.run_until([&] {
        return is_short && State(world.directory.path() / "state.db", State::Access::read)
                                   .text(Note::shortage) == "/disk: full";
    }));
    world.network.before = nullptr;
    is_short = false;
    CHECK(world.run_until([&] { return world.there("last-modified"); }));
    CHECK(world.there("simple/p49/index.html"));
    CHECK(world.state.pending() == 0);
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
