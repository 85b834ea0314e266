// Masters whose journal is one by time (PEP 381): what its rows make of the queue, and how often.
#include "support/era_world.h"

using namespace pep381d;
using namespace sample;
using World = EraWorld;

TEST_CASE("a journal by time is asked with an overlap, and rows that are known cause nothing") {
    World world;
    const auto now = seconds(world.clock.now());
    world.pep381("<value>Foo</value><value>b.a.r</value>", row("Foo", now - 50, "create"));
    world.legacy_page("Foo", {"foo-1.0.tar.gz"});
    world.legacy_page("b.a.r", {"bar-1.0.tar.gz"});
    world.look_well();
    CHECK(world.there("packages/source/x/Foo/foo-1.0.tar.gz"));
    CHECK(world.there("simple/b-a-r/index.html"));
    const auto before = world.serial_of("foo");

    world.clock.advance(1min);
    world.network.not_modified = true;
    world.look_well();
    CHECK(world.asked("changelog") == 1);
    CHECK(world.asked(dated) == 0);  // it was 404 before
    CHECK(world.asked_in_all() == 1);
    world.network.not_modified = false;

    // Another row of a second that was read already, equal to the one that is known.
    world.legacy_page("Foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.say("changelog",
              xml(array(row("Foo", now - 50, "create") + row("Foo", now - 50, "create"))));
    world.look_well();
    CHECK(world.there("packages/source/x/Foo/foo-2.0.tar.gz"));
    CHECK(world.serial_of("foo") > before);
    CHECK(world.asked(root + std::string("b.a.r/")) == 0);
}

TEST_CASE("a poll that is asked before the one before it is taken in tells of nothing twice") {
    World world;
    world.pep381("<value>foo</value>", "");
    world.legacy_page("foo", {"foo-1.0.tar.gz"});
    world.look_well();
    const Time now = world.clock.now();
    const MasterSaid said{Protocol::pep381, {}, Dated::not_asked, seconds(now)};
    const Event old{"foo", "create", false, {}, seconds(now) + 1, "old"};
    const Event fresh{"foo", "new release", true, {}, seconds(now + 2h), "fresh"};
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
    committer.start([] {});
    for (int poll = 0; poll < 3; ++poll)
        committer.send(PollDone{now + 3h, {old, fresh}, {}, true, said});
    committer.stop();
    committer.check();
    const auto queued = world.state.queued(*ProjectName::parse("foo"));
    REQUIRE(queued);
    CHECK(queued->serial.value == fresh.time);
}

TEST_CASE("a row that comes while its project is worked on is not lost, whatever its time") {
    World world;
    world.pep381("<value>foo</value>", "");
    world.legacy_page("foo", {"foo-1.0.tar.gz"});
    world.look_well();
    const auto then = seconds(world.clock.now());
    world.clock.advance(1h);
    // It gets a serial of now, since no row tells of it.
    world.state.enqueue(*ProjectName::parse("foo"), "foo", Serial{}, Loss::nothing,
                        world.clock.now(), true);
    world.legacy_page("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    Staging staging(world.tree);
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
    Engine engine(world.network, staging, committer, world.policy, world.clock, world.log, false,
                  world.hooks);
    bool told = false;
    world.network.before = [&](const std::string& key) {
        if (!key.ends_with("/foo-2.0.tar.gz") || std::exchange(told, true)) return;
        const Event row{"foo", "new release", true, {}, then + 60, "row"};
        const MasterSaid said{Protocol::pep381, {}, Dated::not_asked, then};
        committer.send(PollDone{world.clock.now(), {row}, {}, true, said});
        world.legacy_page("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz", "foo-3.0.tar.gz"});
    };
    committer.start([] {});
    REQUIRE_FALSE(engine.pass(true));
    committer.stop();
    committer.check();
    CHECK(told);
    CHECK(world.state.pending() == 0);
    CHECK(world.there("packages/source/x/foo/foo-3.0.tar.gz"));
}

TEST_CASE("news of a file without a digest is found though its page is the same") {
    World world;
    const auto now = seconds(world.clock.now());
    world.pep381("<value>Foo</value>", "");
    const std::string path = "packages/source/x/Foo/foo-1.0.tar.gz";
    world.network.answers[root + std::string("Foo/")] = {
        "<html><head><title>Links for Foo</title></head><body><a href=\"../../" + path +
            "\">foo-1.0.tar.gz</a></body></html>",
        "text/html"};
    auto& file = world.network.answers[std::string(master) + "/" + path];
    file = {"one", "application/octet-stream"};
    world.network.answers[root + std::string("Foo/")].conditional = file.conditional = true;
    world.look_well();
    const auto before = world.serial_of("foo");
    world.look_well();
    CHECK(world.asked(root + std::string("Foo/")) == 0);
    CHECK(world.asked(std::string(master) + "/" + path) == 0);

    file.body = "another";
    file.etag = "\"another\"";
    world.clock.advance(1min);
    world.say("changelog", xml(array(row("Foo", now + 30, "new release", "1.0"))));
    world.look_well();
    CHECK(world.bytes(path) == "another");
    CHECK(world.serial_of("foo") > before);
}

TEST_CASE("a journal by time removes and renames") {
    World world;
    const auto now = seconds(world.clock.now());
    world.pep381("<value>foo</value><value>bar</value>", "");
    world.legacy_page("foo", {"foo-1.0.tar.gz"});
    world.legacy_page("bar", {"bar-1.0.tar.gz"});
    world.look_well();
    world.network.answers.erase(root + std::string("foo/"));
    world.network.answers.erase(root + std::string("bar/"));
    world.legacy_page("Baz", {"baz-1.0.tar.gz"});
    world.say("changelog",
              xml(array(row("", now, "keyrotate ") + row("foo", now, "remove") +
                        row("Baz", now + 1, "rename from bar") + row("../x", now + 2, "create") +
                        row("x", now + 9'999'999, "docupdate"))));
    CHECK(!world.look());
    CHECK(!world.there("simple/foo"));
    CHECK(!world.there("simple/bar"));
    CHECK(!world.there("packages/source/x/bar/bar-1.0.tar.gz"));
    CHECK(world.there("simple/baz/index.html"));
    REQUIRE(world.state.skipped(10).size() == 1);
    CHECK(world.state.skipped(10)[0].name == "../x");
    // A time that has not come yet does not move the window.
    CHECK(world.state.number(Note::journal_time) == now + 2);
}

TEST_CASE("a project that is renamed to another spelling of its name stays") {
    World world;
    const auto now = seconds(world.clock.now());
    world.pep381("<value>Foo_Bar</value>", "");
    world.legacy_page("Foo_Bar", {"foo_bar-1.0.tar.gz"});
    world.look_well();
    world.network.answers.erase(root + std::string("Foo_Bar/"));
    world.legacy_page("foo.bar", {"foo_bar-1.0.tar.gz", "foo_bar-2.0.tar.gz"});
    world.say("changelog", xml(array(row("foo.bar", now, "rename from Foo_Bar"))));
    world.look_well();
    CHECK(world.there("simple/foo-bar/index.html"));
    CHECK(world.there("packages/source/x/foo.bar/foo_bar-2.0.tar.gz"));
    CHECK(world.bytes("simple/index.html").find(">foo.bar</a>") != std::string::npos);
}

TEST_CASE("a removal is believed though a cache goes on serving the page, where a list lacks it") {
    World world;
    const auto now = seconds(world.clock.now());
    world.pep381("<value>foo</value><value>bar</value>", "");
    world.legacy_page("foo", {"foo-1.0.tar.gz"});
    world.legacy_page("bar", {"bar-1.0.tar.gz"});
    world.look_well();
    SECTION("it says that nothing has changed") {
        world.network.answers[root + std::string("foo/")].conditional = true;
    }
    SECTION("it sends it whole") {}
    SECTION("it sends one that is not ours") {
        world.legacy_page("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    }
    world.say("list_packages", xml(array("<value>bar</value>")));
    world.say("changelog", xml(array(row("foo", now, "remove"))));
    REQUIRE_FALSE(world.look());
    CHECK(world.left == 1);
    CHECK(world.there("simple/foo/index.html"));
    world.clock.advance(5min);
    world.look_well();
    CHECK_FALSE(world.there("simple/foo"));
    CHECK_FALSE(world.there("packages/source/x/foo/foo-2.0.tar.gz"));
}

TEST_CASE("a removal is not believed for ever where the page and the list tell otherwise") {
    World world;
    const auto now = seconds(world.clock.now());
    world.pep381("<value>foo</value>", "");
    world.legacy_page("foo", {"foo-1.0.tar.gz"});
    world.look_well();
    world.legacy_page("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.say("changelog", xml(array(row("foo", now, "remove"))));
    for (int look = 0; look < 12; ++look) {
        REQUIRE_FALSE(world.look());
        CHECK(world.left == 1);
        CHECK_THAT(world.cause_of("foo"), ContainsSubstring("the journal has removed the project"));
        world.clock.advance(5min);
    }
    // The list is asked for again, then the page.
    for (int look = 0; look < 3; ++look) {
        world.clock.advance(15min);
        REQUIRE_FALSE(world.look());
    }
    CHECK(world.left == 0);
    CHECK(world.there("packages/source/x/foo/foo-2.0.tar.gz"));
}

TEST_CASE("a removal of what is not shown yet waits for a list, too") {
    const bool answers = GENERATE(true, false);
    const bool named = GENERATE(true, false);
    World world;
    const auto now = seconds(world.clock.now());
    const std::string url = root + std::string("foo/");
    world.pep381("<value>foo</value><value>bar</value>", row("foo", now - 5 * 3600, "remove"));
    world.legacy_page("foo", {"foo-1.0.tar.gz"});
    world.legacy_page("bar", {"bar-1.0.tar.gz"});
    const auto page = world.network.answers[url];
    world.network.fail(url, Fault::retry_later, "GET foo: HTTP 503");
    for (int look = 0; look < 3; ++look) {
        REQUIRE_FALSE(world.look());
        CHECK(world.left == 1);
        CHECK_FALSE(world.there("simple/foo"));
        world.clock.advance(5min);
        if (answers) world.network.answers[url] = page;
    }
    if (named)
        world.network.answers[url] = page;
    else
        world.say("list_packages", xml(array("<value>bar</value>")));
    for (int look = 0; look < 3; ++look) {
        world.clock.advance(61min);
        REQUIRE_FALSE(world.look());
    }
    CHECK(world.there("simple/foo/index.html") == named);
    CHECK(world.left == 0);
}
