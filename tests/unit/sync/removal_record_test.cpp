// What the record of removals says (design 2.5).
#include <algorithm>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

namespace {

std::vector<std::string> paths_of(const ProjectPage& page) {
    std::vector<std::string> paths;
    for (const File& file : page.files) paths.push_back(*file_path(file));
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace

TEST_CASE("the record says what was removed, when, why and by which event") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.clock.advance(60s);
    REQUIRE_FALSE(world.pass());
    CHECK(world.removals().empty());  // nothing has gone

    world.network.answers.erase(World::url(foo));
    world.event("foo", "remove project", 9);
    REQUIRE_FALSE(world.pass());
    auto removals = world.removals();
    REQUIRE(removals.size() == 1);
    std::sort(removals[0].files.begin(), removals[0].files.end());
    CHECK(removals[0].at == world.clock.now());
    CHECK(removals[0].kind == RemovalKind::removed);
    CHECK(removals[0].project == "foo");
    CHECK(removals[0].serial == Serial{9});
    CHECK(removals[0].files == paths_of(foo));
    CHECK_THAT(removals[0].cause,
               ContainsSubstring("journal removed it (serial 9)") && ContainsSubstring("HTTP 404"));
    world.clock.advance(60s);
    REQUIRE_FALSE(world.pass());
    CHECK(world.removals().size() == 1);
}

TEST_CASE("the record names the list where a removal rests on it") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.listed.erase("foo");
    world.listed["bar"] = 9;
    world.event("foo", "remove project", 9);
    SECTION("and a cache still has the page") {}
    SECTION("and the master cannot serve the page") {
        world.network.fail(World::url(foo), Fault::retry_later, "GET foo: HTTP 503");
    }
    for (int look = 0; look < 4 && world.there("simple/foo"); ++look) {
        (void)world.pass();
        world.clock.advance(5min);
    }
    CHECK_FALSE(world.there("simple/foo"));
    CHECK_FALSE(world.there(*file_path(foo.files[0])));
    REQUIRE(world.removals().size() == 1);
    CHECK_THAT(world.removals()[0].cause, ContainsSubstring("serial 9") &&
                                              ContainsSubstring("list of names of 20") &&
                                              ContainsSubstring("lacks it"));
}

TEST_CASE("the record tells of files that leave a page, and why") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.publish(foo_without_sdist(9));
    SECTION("with an event") {
        world.event("foo", "remove file foo-1.0.tar.gz", 9);
        REQUIRE_FALSE(world.pass());
        REQUIRE(world.removals().size() == 1);
        CHECK(world.removals()[0].serial == Serial{9});
        CHECK_THAT(world.removals()[0].cause, ContainsSubstring("tells of a removal (serial 9)"));
    }
    SECTION("without one") {
        world.event("foo", "add Owner someone", 9);
        REQUIRE_FALSE(world.pass());
        CHECK(world.removals().empty());
        world.clock.advance(11min);
        REQUIRE_FALSE(world.pass());
        REQUIRE(world.removals().size() == 1);
        CHECK_THAT(world.removals()[0].cause, ContainsSubstring("without an event"));
    }
    CHECK(world.removals()[0].kind == RemovalKind::files);
    CHECK(world.removals()[0].files == std::vector{*file_path(foo.files[1])});
}

TEST_CASE("the record tells of a quarantine and of its end") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.publish(quarantined_foo(9));
    world.event("foo", "project quarantined", 9);
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.removals().size() == 1);
    CHECK(world.removals()[0].kind == RemovalKind::quarantined);
    CHECK(world.removals()[0].files.size() == 2);
    CHECK_THAT(world.removals()[0].cause, ContainsSubstring("it steals tokens"));

    auto cleared = foo;
    cleared.serial = Serial{10};
    world.publish(cleared);
    world.event("foo", "project quarantine cleared", 10);
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.removals().size() == 2);
    CHECK(world.removals()[0].kind == RemovalKind::cleared);
    CHECK(world.removals()[0].serial == Serial{10});
}
