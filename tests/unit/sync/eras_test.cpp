// Masters of every era (master/protocol.h): what is found out about them, what is asked, and what
// stands in for the serials that they do not have.
#include "support/era_world.h"

using namespace pep381d;
using namespace sample;
using World = EraWorld;

TEST_CASE("what a master speaks is found out by its answers, and by nothing else") {
    World world;
    world.publish(foo);
    SECTION("it knows its last serial") {
        world.answer_polls();
        world.look_well();
        CHECK(world.protocol() == "warehouse");
        CHECK(world.asked(root) == 0);
    }
    SECTION("it knows XML-RPC and a journal by time") {
        world.pep381("<value>Foo</value>", "");
        world.legacy_page("Foo", {"foo-1.0.tar.gz"});
        world.look_well();
        CHECK(world.protocol() == "pep381");
    }
    SECTION("it has a root index, and no XML-RPC") {
        world.list({{"foo", 5}}, 5);
        world.look_well();
        CHECK(world.protocol() == "simple");
    }
    SECTION("it has a root index, and other XML-RPC") {
        world.say("changelog_last_serial", fault(-32601, "no such method"));
        world.say("changelog", fault(-32601, "no such method"));
        world.list({{"foo", 5}}, 5);
        world.look_well();
        CHECK(world.protocol() == "simple");
    }
    SECTION("it has a root index, and methods that fail") {
        world.say("changelog_last_serial", fault(-32500, "RuntimeError: not today"));
        world.say("changelog", fault(-32500, "ValueError: deprecated"));
        world.list({{"foo", 5}}, 5);
        CHECK(world.look());
        CHECK(world.protocol().empty());
        CHECK(world.asked(root) == 0);
    }
    SECTION("it has a root index, and a page for people") {
        world.say("changelog_last_serial", "<html><body>Down for maintenance</body></html>");
        world.list({{"foo", 5}}, 5);
        const auto failure = world.look();
        REQUIRE(failure);
        CHECK_THAT(failure->what, ContainsSubstring("set master.protocol"));
        CHECK(world.protocol().empty());
        CHECK(world.asked(root) == 0);
    }
    SECTION("it does not answer") {
        world.list({{"foo", 5}}, 5);
        world.network.fail("changelog_last_serial", Fault::retry_later, "HTTP 503");
        const auto failure = world.look();
        REQUIRE(failure);
        CHECK_THAT(failure->what, !ContainsSubstring("master.protocol"));
        CHECK(world.protocol().empty());
        CHECK(world.asked(root) == 0);
    }
    SECTION("it begins an answer in XML-RPC") {
        world.list({{"foo", 5}}, 5);
        world.say("changelog_last_serial", xml("<int>5</int>").substr(0, 80));
        CHECK(world.look());
        CHECK(world.protocol().empty());
        CHECK(world.asked(root) == 0);
    }
    SECTION("nothing of it is known") {
        const auto failure = world.look();
        REQUIRE(failure);
        CHECK(failure->what.find("/pypi") != std::string::npos);
        CHECK(failure->what.find("/simple/") != std::string::npos);
        CHECK(world.protocol().empty());
    }
    SECTION("the root index is none") {
        world.network.answers[root] = {"<html><body>Hello</body></html>", "text/html"};
        CHECK(world.look());
        CHECK(world.protocol().empty());
    }
}

TEST_CASE("what was found out stays, whatever fails later") {
    World world;
    world.publish(foo);
    world.answer_polls();
    world.look_well();
    world.list({{"foo", 5}}, 5);
    world.network.fail("changelog_last_serial", Fault::gone, "HTTP 404");
    CHECK(world.look());
    CHECK(world.protocol() == "warehouse");
    CHECK(world.asked(root) == 0);
}

TEST_CASE("a state of before protocols were told apart is Warehouse's") {
    World world;
    world.policy.protocol = Protocol::warehouse;
    world.publish(foo);
    world.pass();
    {
        State::Change change(world.state);
        world.state.unset(Note::protocol);
        change.commit();
    }
    world.policy.protocol = Protocol::automatic;
    world.answer_polls();
    world.look_well();
    CHECK(world.protocol() == "warehouse");
    CHECK(world.asked_in_all() == 1);
}

TEST_CASE("a root index with serials tells which pages to ask for") {
    World world;
    world.publish(foo);
    world.publish(bar);
    world.list({{"foo", 5}, {"bar", 7}}, 9);
    world.look_well();
    CHECK(world.serial_of("foo") == 5);
    CHECK(world.state.number(Note::cursor) == 9);

    world.network.not_modified = true;
    world.look_well();
    CHECK(world.asked_in_all() == 1);

    world.network.not_modified = false;
    world.publish(page(
        "foo", 12,
        {sdist("foo-2.0.tar.gz"), wheel("foo-1.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 12}, {"bar", 7}}, 12);
    world.look_well();
    CHECK(world.serial_of("foo") == 12);
    CHECK(world.asked(root + std::string("bar/")) == 0);
}

TEST_CASE(
    "a root index that is older than the one before, or has lost its serials, changes nothing") {
    World world;
    world.publish(foo);
    world.list({{"foo", 5}}, 9);
    world.look_well();
    world.list({{"bar", 3}}, 4);
    auto failure = world.look();
    REQUIRE(failure);
    CHECK(failure->what.find("ran backwards, from 9 to 4") != std::string::npos);
    world.list({{"bar", 0}}, 0);
    failure = world.look();
    REQUIRE(failure);
    CHECK(failure->what.find("has none any more") != std::string::npos);
    CHECK(world.there("simple/foo/index.html"));
    // A page that is newer than the root index is no sign of that.
    world.list({{"foo", 15}}, 10);
    world.publish(page("foo", 15, {sdist("foo-1.0.tar.gz"), wheel("foo-1.0-py3-none-any.whl")}));
    world.look_well();
    world.list({{"foo", 15}}, 11);
    world.look_well();
}

TEST_CASE(
    "without serials a new project is found by the root index, a changed page by a look at all") {
    World world;
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 0}});
    world.look_well();
    const auto first = world.serial_of("foo");
    CHECK(first == seconds(world.clock.now()));

    world.clock.advance(1min);
    world.publish(page("bar", 0, {sdist("bar-1.0.tar.gz")}));
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz"), sdist("foo-2.0.tar.gz")}));
    world.list({{"foo", 0}, {"bar", 0}});
    world.look_well();
    CHECK(world.serial_of("bar") == first + 60);
    CHECK(world.asked(root + std::string("foo/")) == 0);

    world.clock.advance(24h);
    world.look_well();
    CHECK(world.serial_of("foo") == seconds(world.clock.now()));
    CHECK(world.serial_of("bar") == first + 60);  // looked at, and the same
    CHECK(world.asked(root + std::string("bar/")) == 1);
    CHECK(world.there("packages/" + file_path(sdist("foo-2.0.tar.gz"))->substr(9)));

    world.network.not_modified = true;
    world.look_well();
    CHECK(world.asked_in_all() == 1);
}

TEST_CASE(
    "without serials a file that was recorded before a kill is on its page after the next look") {
    World world;
    world.publish(foo);
    world.list({{"foo", 0}});
    world.look_well();
    ProjectPage more = foo;
    more.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(more);
    File early = more.files.back();
    early.path = *file_path(early);
    early.held = true;
    world.put(early.path, early.name.text());
    {
        State::Change change(world.state);
        world.state.record_file(foo.name, "foo", early);
        world.state.enqueue(foo.name, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
        change.commit();
    }
    world.look_well();
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
    CHECK(world.asked(early.url) == 0);
}

namespace {

// The master loses one of the two projects that are mirrored.
void foo_goes(World& world) {
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.publish(page("bar", 0, {sdist("bar-1.0.tar.gz")}));
    world.list({{"foo", 0}, {"bar", 0}});
    world.look_well();
    world.network.answers.erase(root + std::string("foo/"));
    world.list({{"bar", 0}});
}

}  // namespace

TEST_CASE("without events a project goes after an hour, three looks and two lists") {
    World world;
    foo_goes(world);
    for (int look = 0; look < 3; ++look) {
        world.clock.advance(10min);
        CHECK(!world.look());
        CHECK(world.there("simple/foo/index.html"));
    }
    world.clock.advance(1h);
    world.network.not_modified = true;  // the list is wanted all the same
    world.look_well();
    CHECK(!world.there("simple/foo"));
    CHECK(world.there("simple/bar/index.html"));
}

TEST_CASE("without events a kept project that waits for its page waits no longer when it is gone") {
    World world;
    world.policy.keep_deleted = true;
    foo_goes(world);
    world.state.enqueue(*ProjectName::parse("foo"), "foo", Serial{}, Loss::nothing,
                        world.clock.now(), true);
    for (int look = 0; look < 3; ++look) {
        world.clock.advance(10min);
        CHECK(!world.look());
    }
    world.clock.advance(1h);
    world.look_well();
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.there("simple/bar/index.html"));
}

TEST_CASE("a project that its root index does not name is not looked at when it is quarantined") {
    World world;
    auto quarantined = page("foo", 6, {});
    quarantined.status = {"quarantined", ""};
    quarantined.members = R"("project-status":{"status":"quarantined"})";
    world.publish(foo);
    world.publish(bar);
    world.list({{"foo", 5}, {"bar", 7}}, 7);
    world.look_well();
    world.publish(quarantined);
    world.list({{"bar", 7}}, 8);
    world.look_well();
    CHECK(world.page_of("foo").find("quarantined") != std::string::npos);
    world.list({{"bar", 7}}, 9);
    world.look_well();
    CHECK(world.asked(root + std::string("foo/")) == 0);
    // It is over.
    auto back = foo;
    back.serial = Serial{10};
    world.publish(back);
    world.list({{"foo", 10}, {"bar", 7}}, 10);
    world.look_well();
    CHECK(world.page_of("foo").find("quarantined") == std::string::npos);
}

TEST_CASE("last-modified is never newer than the master's own") {
    World world;
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 0}});
    world.network.answers[dated] = {"20010203T04:05:06\n", "text/plain"};
    world.look_well();
    CHECK(world.bytes("last-modified") == "20010203T04:05:06\n");

    // Also on polls that find nothing.
    world.network.not_modified = true;
    world.network.answers[dated].body = "2001-02-03T05:05:06";
    world.clock.advance(1min);
    world.look_well();
    CHECK(world.bytes("last-modified") == "20010203T05:05:06\n");

    // A master that is ahead of our clock says nothing about our age.
    world.network.answers[dated].body = "20990101T00:00:00\n";
    world.clock.advance(1min);
    world.look_well();
    CHECK(world.bytes("last-modified") == format_basic(world.clock.now()) + "\n");
}

TEST_CASE("a master that was dated is as old as it said last, whatever comes instead of a date") {
    World world;
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 0}});
    world.network.answers[dated] = {"20010203T04:05:06\n", "text/plain"};
    world.look_well();
    world.network.not_modified = true;
    SECTION("what makes no sense is no date, however often it comes") {
        const std::string body = GENERATE("", "<html><body>Welcome</body></html>", "yesterday");
        world.network.answers[dated].body = body;
        for (int look = 0; look < 5; ++look) {
            world.clock.advance(1h);
            world.look_well();
            CHECK(world.asked(dated) == 1);
            CHECK(world.bytes("last-modified") == "20010203T04:05:06\n");
        }
    }
    SECTION("nor is a refusal") {
        world.network.fail(dated, Fault::refused, "HTTP 403");
        world.clock.advance(1h);
        world.look_well();
        CHECK(world.bytes("last-modified") == "20010203T04:05:06\n");
    }
    SECTION("that there is none is believed after an hour and three polls") {
        world.network.answers.erase(dated);
        for (int look = 0; look < 2; ++look) {
            world.clock.advance(1h);
            world.look_well();
            CHECK(world.bytes("last-modified") == "20010203T04:05:06\n");
        }
        world.clock.advance(1min);
        world.look_well();
        CHECK(world.asked(dated) == 1);
        CHECK(world.bytes("last-modified") == format_basic(world.clock.now()) + "\n");
        world.look_well();
        CHECK(world.asked(dated) == 0);
    }
    world.network.answers[dated] = {"20010203T05:05:06\n", "text/plain"};
    world.clock.advance(25h);
    world.look_well();
    CHECK(world.asked(dated) == 1);
}

TEST_CASE("a master that never was dated is not asked for a date with each poll") {
    World world;
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 0}});
    if (GENERATE(false, true))
        world.network.answers[dated] = {"<html><body>Welcome</body></html>", "text/html"};
    world.look_well();
    CHECK(world.asked(dated) == 1);
    CHECK(world.bytes("last-modified") == format_basic(world.clock.now()) + "\n");
    world.network.not_modified = true;
    world.look_well();
    CHECK(world.asked(dated) == 0);
}

TEST_CASE("a master that does not tell its age for the moment is not taken for one without") {
    World world;
    world.publish(page("foo", 0, {sdist("foo-1.0.tar.gz")}));
    world.list({{"foo", 0}});
    world.network.answers[dated] = {"20010203T04:05:06\n", "text/plain"};
    world.look_well();
    world.network.fail(dated, Fault::retry_later, "HTTP 503");
    CHECK(world.look());
    CHECK(world.bytes("last-modified") == "20010203T04:05:06\n");
}

TEST_CASE("under another protocol all begins with a list, and nothing is fetched again") {
    World world;
    world.publish(foo);
    world.answer_polls();
    world.look_well();
    world.policy.protocol = Protocol::simple;
    world.list({{"foo", 0}});
    world.look_well();
    CHECK(world.protocol() == "simple");
    CHECK(world.asked(foo.files[0].url) == 0);
    world.policy.protocol = Protocol::warehouse;
    world.answer_polls();
    world.look_well();
    CHECK(world.serial_of("foo") == 5);
    CHECK(world.asked(foo.files[0].url) == 0);
}
