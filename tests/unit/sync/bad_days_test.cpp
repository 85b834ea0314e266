// The master's bad days, and what the mirror makes of them (design 2.3, 2.5, 2.7).
#include <limits>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

namespace {

// A pass every ten minutes.
void passes(World& world, int count) {
    for (int i = 0; i < count; ++i) {
        (void)world.pass();
        world.clock.advance(10min);
    }
}

// At serial 9, with an event.
void release_foo_2(World& world) {
    auto newer = foo;
    newer.serial = Serial{9};
    newer.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(newer);
    world.event("foo", "new release", 9);
}

}  // namespace

TEST_CASE("a page that stays behind its journal for good is taken for what it is after an hour") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.network.not_modified = GENERATE(false, true);
    world.event("foo", "add Owner someone", 9);
    passes(world, 3);
    CHECK(world.state.pending() == 1);
    passes(world, 8);
    CHECK(world.state.pending() == 0);
}

TEST_CASE("an hour of another failure does not make a stale page final") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto old_page = world.network.answers[World::url(foo)];
    world.event("foo", "add Owner someone", 6);
    world.network.fail(World::url(foo), Fault::retry_later, "HTTP 503");
    passes(world, 8);
    world.event("foo", "new release", 9);
    world.network.answers[World::url(foo)] = old_page;
    passes(world, 1);
    CHECK(world.state.pending() == 1);
}

TEST_CASE("a project that one list lacked and the next one has is not gone") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.policy.reconcile_interval = 5min;
    world.network.answers.erase(World::url(foo));
    world.event("foo", "add Owner someone", 9);
    passes(world, 1);
    world.listed.erase("foo");
    passes(world, 1);
    world.listed["foo"] = 9;
    passes(world, 8);
    CHECK(world.there("simple/foo/index.html"));
}

TEST_CASE("last-modified waits for a journal that lags behind its newest serial") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto before = world.bytes("last-modified");
    world.clock.advance(10min);
    world.newest = 20;
    CHECK(world.pass());
    CHECK(world.bytes("last-modified") == before);
}

TEST_CASE("projects with more files than are held at a time delay no event of another") {
    World world;
    world.policy.poll_interval = 10ms;
    ProjectPage giant = page("giant", 5, {}), other = page("other", 5, {});
    for (ProjectPage* one : {&giant, &other}) {
        for (int i = 0; i < 10'001; ++i)
            one->files.push_back(sdist(one->name.text() + "-" + std::to_string(i) + ".tar.gz"));
        world.publish(*one);
        for (const File& file : one->files) {
            world.network.answers[file.url].drips = 2;
            world.network.answers[file.url].drip_turns = 200;
        }
    }
    world.publish(foo);
    auto newer = foo;
    newer.serial = Serial{9};
    bool told = false;
    CHECK(world.run_until([&] {
        if (!told && world.network.asked[giant.files[0].url] > 0 &&
            world.network.asked[other.files[0].url] > 0 && world.there("simple/foo")) {
            told = true;
            newer.files.push_back(sdist("foo-2.0.tar.gz"));
            world.publish(newer);
            world.event("foo", "new release", 9);
            world.answer_polls();
        }
        return told && world.page_of("foo").find("foo-2.0") != std::string::npos;
    }));
}

TEST_CASE("a row from far beyond the newest serial does not become the cursor") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto cursor = world.state.number(Note::cursor);
    world.event("foo", "new release", std::numeric_limits<std::int64_t>::max());
    world.newest = 9;
    const auto failure = world.pass();
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("a row of serial 9223372036854775807, but its "
                                                "newest is 9"));
    CHECK(world.state.number(Note::cursor) == cursor);
    world.event("foo", "new release", 10);
    world.newest = 9;  // it came between the two questions
    CHECK_FALSE(world.pass());
    CHECK(world.state.number(Note::cursor) == 10);
}

TEST_CASE("nor does a serial of the first list that is beyond the journal's newest") {
    World world;
    world.publish(foo);
    world.listed["zzz"] = std::numeric_limits<std::int64_t>::max();
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.number(Note::cursor) == world.newest);
    release_foo_2(world);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0"));
}

TEST_CASE("a poll ends at what was the newest when it began, however many rows the journal has") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    for (int i = 0; i < 50'000; ++i) world.event("foo", "new release", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.number(Note::cursor) == 9);
    CHECK(world.network.asked["changelog_since_serial"] == 1);
}

TEST_CASE(
    "last-modified waits for what no server answers, and not for what the master lacks for an "
    "hour") {
    const auto [fault, waits] =
        GENERATE(table<Fault, bool>({{Fault::retry_later, true}, {Fault::gone, false}}));
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto before = world.bytes("last-modified");
    auto newer = foo;
    newer.serial = Serial{9};
    newer.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(newer);
    world.event("foo", "new release", 9);
    world.network.fail(newer.files.back().url, fault, "it is not there");
    passes(world, 9);
    CHECK((world.bytes("last-modified") == before) == waits);
}

TEST_CASE("a first list that is old is followed by the journal since then") {
    World world;
    world.publish(foo);
    world.publish(bar);
    world.listed["bar"] = 6;
    world.event("bar", "new release", 7);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked["changelog_since_serial"] == 1);
    CHECK(world.state.number(Note::cursor) == 7);
}

TEST_CASE("a list that has a name twice counts it once") {
    World world;
    world.publish(foo);
    world.publish(bar);
    for (const char* again : {"foo", "Foo", "FOO"})
        world.listed_too +=
            std::string("<member><name>") + again + "</name><value><int>3</int></value></member>";
    for (int i = 0; i < 2; ++i) {
        REQUIRE_FALSE(world.pass());
        CHECK(world.network.asked[World::url(foo)] == 1);
        CHECK(world.state.totals().projects == 2);
        CHECK(world.state.pending() == 0);
        const auto root = world.bytes("simple/index.html");
        const auto first = root.find("href=\"foo/\"");
        REQUIRE(first != std::string::npos);
        CHECK(root.find("href=\"foo/\"", first + 1) == std::string::npos);
        world.policy.reconcile_interval = 1ms;
        world.clock.advance(1h);
    }
}

TEST_CASE(
    "a list that is cut in the middle of a member takes nothing away, and the journal goes on") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.policy.reconcile_interval = 1ms;
    world.clock.advance(2h);
    world.cut_list = true;
    auto newer = foo;
    newer.serial = Serial{9};
    newer.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(newer);
    world.event("foo", "new release", 9);
    const auto failure = world.pass();
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("https://master.example/pypi"));
    CHECK_THAT(failure->what, ContainsSubstring("list_packages_with_serial"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
    CHECK(world.there("simple/bar/index.html"));
}

TEST_CASE("with deletes.policy keep, what the master removes stays") {
    World world;
    world.policy.keep_deleted = true;
    world.policy.page.keep = true;
    world.policy.reconcile_interval = 5min;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.publish(foo_without_sdist(9));
    world.event("foo", "remove file foo-1.0.tar.gz", 9);
    world.network.answers.erase(World::url(bar));
    world.listed.erase("bar");
    world.event("bar", "remove project", 10);
    passes(world, 3);
    CHECK(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    CHECK(world.there("simple/bar/index.html"));
    CHECK_THAT(world.bytes("simple/index.html"), ContainsSubstring("bar"));
    CHECK(world.state.pending() == 0);
}

TEST_CASE("what was left out of a page is still told after a 304") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    {
        State::Change change(world.state);
        world.state.skip("foo", "../x", "illegal");
        world.state.enqueue(foo.name, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
        change.commit();
    }
    world.network.not_modified = true;
    REQUIRE_FALSE(world.pass());
    CHECK(world.state.skipped(10).size() == 1);
}

TEST_CASE("a serial that the journal never reached does not freeze its project") {
    World world;
    auto lying = foo;
    lying.serial = Serial{std::int64_t{1} << 46};
    world.publish(lying);
    world.listed["foo"] = 5;
    world.newest = 5;
    REQUIRE_FALSE(world.pass());
    release_foo_2(world);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":9"));
}

TEST_CASE("what a master invents is no line of the log, no command of a terminal, and no markup") {
    const std::string evil = "x\n2026-11-21T00:00:00Z info\x1b[31m<script>\"\xff";
    World world;
    world.publish(page("foo", 5, {sdist("foo-1.0.zip")}));
    const std::string url = std::string(master) + "/simple/foo/";
    SECTION("as the type of a page") {
        world.network.answers[url].type = "text/" + evil;
    }
    SECTION("as a page") {
        world.network.answers[url].body = evil;
    }
    SECTION("as the name of a project in a page") {
        world.network.answers[url].body = R"({"name":)" + json_string("x\n\x1b[31m<script>") + "}";
    }
    SECTION("as a version of the format") {
        world.network.answers[url].body =
            R"({"name":"foo","files":[],"meta":{"api-version":)" + json_string("2\n\x1b<") + "}}";
    }
    SECTION("as names and URLs of files") {
        const std::string name = json_string("a\n\x1b[31m<script>.zip");
        world.network.answers[url].body = R"({"name":"foo","files":[{"filename":)" + name +
                                          R"(,"url":)" + name + R"(},{"filename":"a.zip","url":)" +
                                          name +
                                          R"(},{"filename":"b.zip","url":"javascript:alert"}]})";
    }
    SECTION("as the name of a project in the list") {
        world.listed_too =
            "<member><name>a\x1b[31m\n&lt;script&gt;</name><value><int>1</int>"
            "</value></member>";
    }
    SECTION("as the text of a fault") {
        world.newest = 0;
        world.network.before = [&](const std::string& key) {
            if (key == "list_packages_with_serial")
                world.network.answers[key].body =
                    "<methodResponse><fault><value><struct><member><name>faultCode</"
                    "name><value><int>1"
                    "</int></value></member><member><name>faultString</"
                    "name><value><string>x\n\x1b[31m"
                    "&lt;script&gt;</string></value></member></struct></value></fault></"
                    "methodResponse>";
        };
    }
    (void)world.pass();
    const std::string html = world.bytes("status/index.html");
    CHECK_THAT(html, !ContainsSubstring("<script") && !ContainsSubstring("\x1b"));
    const std::string json = world.bytes("status/status.json");
    CHECK_THAT(json, !ContainsSubstring("\x1b") && !ContainsSubstring("\xff"));
}

TEST_CASE("a password in the master's URL is shown nowhere") {
    World world;
    world.policy.master = "https://user:secret@master.example";
    const auto empty = page("foo", 5, {});
    world.publish(empty);
    world.network.answers[world.policy.master + "/simple/foo/"] = {project_json(empty)};
    REQUIRE_FALSE(world.pass());
    world.event("foo", "new release", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("https://master.example/simple/foo/"));
    CHECK_THAT(world.bytes("status/status.json"), !ContainsSubstring("secret"));
    CHECK_THAT(world.cause_of("foo"), !ContainsSubstring("secret"));
}
