// What is published stays while a state that was lost has not read it again.
#include "pep381d/sync/knowledge.h"

#include "support/catch.h"
#include "support/era_world.h"

using namespace pep381d;
using namespace sample;

namespace {

const ScriptedTransport::Answer nothing_for_now{{}, {}, {Fault::retry_later, "HTTP 503"}};

struct World : SyncWorld {
    World() {
        publish(foo);
        publish(bar);
        REQUIRE_FALSE(pass());
        clock.advance(1min);
    }
    std::string path_of(const File& file) { return *file_path(file); }
    bool names_all(const ProjectPage& of) {
        return std::all_of(of.files.begin(), of.files.end(), [&](const File& file) {
            return page_of(of.name.text()).find(file.name.text()) != std::string::npos;
        });
    }
    bool listed(const std::string& name) {
        return bytes("simple/index.html").find("href=\"" + name + "/\"") != std::string::npos;
    }
};

}  // namespace

TEST_CASE("mending a lost state's tree takes only what is damaged") {
    World world;
    world.lose_state();
    world.network.answers[World::url(foo)] = nothing_for_now;
    REQUIRE_FALSE(world.pass());
    std::filesystem::remove(world.directory.path() / "web" / world.path_of(foo.files[0]));
    CHECK(world.repair() > 0);
    CHECK(world.names_all(foo));
    CHECK(world.listed("foo"));
    CHECK(world.there(world.path_of(foo.files[1])));
    CHECK(may_be_lost(world.state));

    world.publish(foo);
    world.clock.advance(1h);
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(verify(world.state, world.tree, true).empty());
    CHECK(world.network.asked[foo.files[1].url] == 0);
}

TEST_CASE("of files that came before their page only a damaged one goes") {
    SyncWorld world;
    world.publish(foo);
    world.network.answers[SyncWorld::url(foo)] = nothing_for_now;
    REQUIRE_FALSE(world.pass());
    {
        State::Change change(world.state);
        for (File file : foo.files) {
            file.path = *file_path(file);
            file.held = true;
            world.put(file.path, file.name.text());
            world.state.record_file(foo.name, "foo", file);
        }
        change.commit();
    }
    REQUIRE(verify(world.state, world.tree, true).empty());
    const std::string damaged = *file_path(foo.files[1]), whole = *file_path(foo.files[0]);
    world.put(damaged, std::string(foo.files[1].name.text().size(), 'x'));
    CHECK(world.repair() == 0);
    CHECK_FALSE(world.there(damaged));
    CHECK(world.there(whole));
    CHECK(world.state.totals().files == 1);

    world.publish(foo);
    world.clock.advance(1h);
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.network.asked[foo.files[0].url] == 0);
    CHECK(world.network.asked[foo.files[1].url] == 1);
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("a page of before is not replaced while nobody has looked for all of its files") {
    World world;
    world.lose_state();
    SECTION("for patience") {
        world.policy.file_requests = 1;
        std::filesystem::remove(world.directory.path() / "web" / world.path_of(foo.files[0]));
        world.network.answers[foo.files[0].url].hangs = true;
        world.network.answers[foo.files[0].url].cut = 1;
        world.policy.patience = 20s;
        world.hooks.report = [&](const Progress&) { world.clock.advance(1s); };
    }
    SECTION("for room") {
        // It ends while pages are on their way.
        world.hooks.shortage = [&]() -> std::optional<std::string> {
            if (world.network.asked[World::url(foo)] == 0) return std::nullopt;
            return "no room";
        };
    }
    try {
        (void)world.pass();
    } catch (const DiskFull&) {
    }
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    CHECK(world.names_all(bar));
}

TEST_CASE("a file that hangs leaves its page, also of a lost state") {
    World world;
    world.lose_state();
    auto more = foo;
    more.serial = Serial{9};
    more.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(more);
    world.publish(page("fresh", 8, {sdist("fresh-1.0.tar.gz"), sdist("fresh-2.0.tar.gz")}));
    for (const char* name : {"foo-2.0.tar.gz", "fresh-2.0.tar.gz"}) {
        world.network.answers[sdist(name).url].hangs = true;
        world.network.answers[sdist(name).url].cut = 1;
    }
    std::filesystem::remove(world.directory.path() / "web" / world.path_of(foo.files[0]));
    world.policy.patience = 20s;
    world.hooks.report = [&](const Progress&) {
        world.clock.advance(world.network.under_way() ? 1s : 1ms);
    };
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 2);
    CHECK(world.names_all(foo));
    CHECK(world.there(world.path_of(foo.files[0])));
    CHECK(world.listed("fresh"));
    CHECK_THAT(world.page_of("fresh"), ContainsSubstring("fresh-1.0.tar.gz"));
}

TEST_CASE("a page that lacks files of the one of before is looked at twice") {
    World world;
    world.lose_state();
    world.publish(foo_without_sdist(5));
    SECTION("and may have them again") {
        REQUIRE_FALSE(world.pass());
        CHECK(world.left == 1);
        CHECK_THAT(world.cause_of("foo"), ContainsSubstring("files have left the page"));
        CHECK(world.names_all(foo));
        world.publish(foo);
    }
    SECTION("and is believed then") {
        REQUIRE_FALSE(world.pass());
        CHECK(world.names_all(foo));
    }
    SECTION("or at once, where an event tells of it") {
        REQUIRE_FALSE(world.pass());
        world.publish(foo_without_sdist(9));
        world.event("foo", "remove file foo-1.0.tar.gz", 9);
        world.clock.advance(1min);
        REQUIRE_FALSE(world.pass());
        CHECK_FALSE(world.names_all(foo));
    }
    const bool again =
        world.network.answers[World::url(foo)].body.find("foo-1.0.tar.gz") != std::string::npos;
    world.clock.advance(11min);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.names_all(foo) == again);
}

TEST_CASE("what a pattern leaves out of a lost state's tree passes the guard first") {
    World world;
    for (int i = 0; i < 15; ++i) world.publish(page("more-" + std::to_string(i), 20 + i, {}));
    world.lose_state();
    REQUIRE_FALSE(world.pass());
    world.lose_state();
    SECTION("at its first list") {}
    SECTION("after that, too") {
        for (int i = 0; i < 15; ++i)
            world.network.answers[World::url(page("more-" + std::to_string(i), 1, {}))] =
                nothing_for_now;
        world.hooks.report = [&](const Progress&) { world.clock.advance(1s); };
        REQUIRE_FALSE(world.pass());
        REQUIRE(world.left == 15);
    }
    world.policy.filter = Filter({"*"}, {"more-*"});
    world.clock.advance(1min);
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.held() == 15);
    CHECK(world.listed("more-3"));
    CHECK(world.there("simple/more-3/index.html"));

    State::Change change(world.state);
    CHECK(world.state.allow_held() == 15);
    change.commit();
    world.clock.advance(1h);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK_FALSE(world.listed("more-3"));
    CHECK_FALSE(world.there("simple/more-3"));
    CHECK(world.listed("foo"));
    CHECK(world.removals().size() == 15);
}

TEST_CASE("what the journal removes of a lost state's tree is recorded") {
    World world;
    world.lose_state();
    world.network.answers.erase(World::url(bar));
    world.ScriptedMaster::listed.erase("bar");
    world.event("bar", "remove project", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/bar"));
    REQUIRE(world.removals().size() == 1);
    CHECK(world.removals()[0].project == "bar");
    CHECK(world.removals()[0].kind == RemovalKind::removed);
}

TEST_CASE("a page that a kill left unrecorded is made again where the master has no serials") {
    EraWorld world;
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 0}});
    world.look_well();
    const std::string known = world.page_of("foo");
    {
        State::Change change(world.state);
        world.state.intend_page(foo.name);
        change.commit();
    }
    CHECK(world.state.ahead_of_page(foo.name));
    world.put("simple/foo/index.v1_json", "the page that was placed");
    world.clock.advance(24h);
    world.look_well();
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_FALSE(world.state.ahead_of_page(foo.name));
    CHECK(world.state.intended().empty());
}
