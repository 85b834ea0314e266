// The whole way of a change.
#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

TEST_CASE("a first pass publishes pages, files, metadata, the root index and last-modified") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes(*file_path(foo.files[0])) == "foo-1.0-py3-none-any.whl");
    CHECK(world.bytes(*file_path(foo.files[0]) + ".metadata") ==
          "metadata of foo-1.0-py3-none-any.whl");
    CHECK(world.bytes(*file_path(bar.files[0])) == "bar-1.0.tar.gz");
    const auto file = world.tree.look("web/" + *file_path(foo.files[0]));
    REQUIRE((file && file.value()));
    CHECK(file.value()->mtime == 1'700'000'000);
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":5"));
    CHECK_THAT(world.bytes("simple/index.v1_json"),
               ContainsSubstring("{\"_last-serial\":7,\"name\":\"bar\"}"));
    CHECK_THAT(world.bytes("simple/index.html"), ContainsSubstring("href=\"foo/\""));
    CHECK(world.bytes("last-modified").size() == 18);
    CHECK(world.state.pending() == 0);
    CHECK(world.state.totals().files == 3);
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("a poll that finds nothing asks one question") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto before = world.bytes("last-modified");
    world.network.asked.clear();
    world.clock.advance(60s);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked == std::map<std::string, int>{{"changelog_last_serial", 1}});
    CHECK(world.bytes("last-modified") > before);
}

TEST_CASE("an event fetches its project and what is new in it, nothing else") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.network.asked.clear();
    auto more = foo;
    more.serial = Serial{9};
    more.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(more);
    world.event("Foo", "add source file foo-2.0.tar.gz", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked == std::map<std::string, int>{{"changelog_last_serial", 1},
                                                            {"changelog_since_serial", 1},
                                                            {World::url(foo), 1},
                                                            {more.files[2].url, 1}});
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
}

TEST_CASE("a file that cannot be had leaves its page, not its project") {
    World world;
    world.publish(foo);
    world.network.fail(foo.files[1].url, Fault::gone, "GET x: HTTP 404");
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":0"));
    CHECK(world.cause_of("foo") == "GET x: HTTP 404");
    CHECK_FALSE(world.there("last-modified"));

    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"_last-serial\":5"));
    CHECK(world.network.asked[foo.files[0].url] == 1);
    CHECK(world.state.pending() == 0);
    CHECK(world.there("last-modified"));
}

TEST_CASE("bytes that are not what the page says are never published") {
    World world;
    world.publish(foo);
    world.network.answers[foo.files[1].url].body = "FOO-1.0.tar.gz";
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there(*file_path(foo.files[1])));
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("sha256"));
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("metadata that cannot be had is not offered") {
    World world;
    world.publish(foo);
    world.network.fail(foo.files[0].url + ".metadata", Fault::gone, "GET m: HTTP 404");
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-1.0-py3-none-any.whl"));
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("\"core-metadata\":{"));
    CHECK(world.cause_of("foo") == "GET m: HTTP 404");
}

TEST_CASE("a stale page is not published, and a newer one later is") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.event("foo", "new release", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("shows serial 5, the journal 9"));
    auto newer = foo;
    newer.serial = Serial{9};
    newer.files.push_back(sdist("foo-2.0.tar.gz"));
    world.publish(newer);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("foo-2.0.tar.gz"));
    CHECK(world.state.pending() == 0);
}

TEST_CASE("a serial that runs backwards stops the poll and changes nothing") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.newest = 3;
    const auto failure = world.pass();
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("ran backwards, from 5 to 3"));
    CHECK(world.there("simple/foo/index.html"));
}

TEST_CASE("the daemon polls again after a growing pause, or when the master says") {
    Policy policy;
    policy.poll_interval = 60s;
    policy.random = [] { return 1.0; };
    const Failure busy{Fault::retry_later, "HTTP 503"};
    CHECK(poll_pause(busy, 1, policy) == 1s);
    CHECK(poll_pause(busy, 4, policy) == 8s);
    CHECK(poll_pause(busy, 100, policy) == 5min);
    CHECK(poll_pause({Fault::retry_later, "limited", 600s}, 1, policy) == 10min);
    CHECK(poll_pause({Fault::retry_later, "limited", 24h}, 1, policy) == 1h);
    CHECK(poll_pause({Fault::refused, "no such method"}, 1, policy) == 5min);
    policy.random = [] { return 0.0; };
    CHECK(poll_pause(busy, 100, policy) == 1s);
}

TEST_CASE("a pass asks a limited master again after the time that it names, a refusing one never") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.policy.patience = 100s;
    const auto fault = [](const std::string& code, const std::string& text) {
        return "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>" +
               code + "</int></value></member><member><name>faultString</name><value><string>" +
               text + "</string></value></member></struct></value></fault></methodResponse>";
    };
    world.network.asked.clear();
    const Steady began = world.clock.steady();
    std::string answer;
    world.network.before = [&](const std::string& key) {
        if (world.network.asked[key] == 1) world.network.answers[key].body = answer;
        if (world.network.asked[key] == 2) world.network.answers[key].body = serial_answer(5);
    };
    world.hooks.report = [&](const Progress&) { world.clock.advance(1s); };
    SECTION("limited") {
        answer = fault("-32500", "HTTPTooManyRequests: Limit may reset in 42 seconds.");
        REQUIRE_FALSE(world.pass());
        CHECK(world.network.asked["changelog_last_serial"] == 2);
        CHECK(world.clock.steady() - began >= 42s);
    }
    SECTION("refusing") {
        answer = fault("-32601", "method not found");
        const auto failure = world.pass();
        REQUIRE(failure);
        CHECK_THAT(failure->what, ContainsSubstring("https://master.example/pypi"));
        CHECK_THAT(failure->what, ContainsSubstring("method not found"));
        CHECK(world.network.asked["changelog_last_serial"] == 1);
    }
}

TEST_CASE("patience is spent where nothing comes, not where it comes slowly") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.policy.patience = 20s;
    auto newer = foo;
    newer.serial = Serial{9};
    world.publish(newer);
    world.event("foo", "add Owner someone", 9);
    auto& page = world.network.answers[World::url(foo)];
    std::chrono::seconds waited{0};
    world.hooks.report = [&](const Progress&) {
        const bool under_way = world.network.under_way();
        world.clock.advance(under_way ? 1s : 1ms);
        if (under_way) ++waited;
    };
    SECTION("nothing comes") {
        page.hangs = true;
        page.cut = 1;
        REQUIRE_FALSE(world.pass());
        CHECK_THAT(world.cause_of("foo"), ContainsSubstring("master.patience"));
        CHECK(waited >= 20s);
        CHECK(waited <= 22s);
    }
    SECTION("a byte in five seconds, for five minutes") {
        page.drips = 60;
        page.drip_turns = 5;
        REQUIRE_FALSE(world.pass());
        CHECK(world.cause_of("foo").empty());
        CHECK(world.state.pending() == 0);
        CHECK(waited > 4min);
    }
}

TEST_CASE("who waits for a host that wants a pause is told with what it said") {
    World world;
    world.publish(foo);
    world.policy.patience = 0s;
    world.policy.random = [] { return 0.0; };  // the next try is due at once
    const std::string url = foo.files[0].url;
    world.network.fail(url, Fault::retry_later, "HTTP 429");
    world.network.answers[url].failure.limited = true;
    auto& asked = world.network.asked;
    int steps = 0;  // since its page came again: from the second on there is nothing to do
    world.hooks.report = [&](const Progress&) {
        if (asked[World::url(foo)] >= 2 && ++steps > 1) world.clock.advance(1s);
    };
    REQUIRE_FALSE(world.pass());
    CHECK(asked[World::url(foo)] == 2);
    CHECK(asked[url] == 1);
    CHECK(world.cause_of("foo") == "HTTP 429");
}

TEST_CASE("a poll that hangs uses up the patience of a pass") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.policy.patience = 20s;
    world.network.asked.clear();
    world.network.before = [&](const std::string& key) {
        world.network.fail(key, Fault::retry_later, "no byte for 30s");
        world.clock.advance(30s);
    };
    world.hooks.report = [&](const Progress&) { world.clock.advance(1ms); };
    REQUIRE(world.pass());
    CHECK(world.network.asked["changelog_last_serial"] == 1);
}

TEST_CASE("a list that is no good stops the first pass and leaves nothing") {
    World world;
    SECTION("empty") {}
    SECTION("cut off") {
        world.publish(foo);
        world.publish(bar);
        world.cut_list = true;
    }
    const auto failure = world.pass();
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("https://master.example/pypi"));
    CHECK(world.state.pending() == 0);
    CHECK_FALSE(world.there("last-modified"));
    CHECK_FALSE(world.there("simple"));
}

TEST_CASE("other formats are made from what the state holds") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.network.asked.clear();
    world.policy.html = false;
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/foo/index.html"));
    CHECK_FALSE(world.there("simple/foo/index.v1_html"));
    CHECK_FALSE(world.there("simple/index.html"));
    CHECK(world.there("simple/foo/index.v1_json"));
    world.policy.html = true;
    world.policy.json = false;
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.there("simple/index.html"));
    CHECK_FALSE(world.there("simple/foo/index.v1_json"));
    CHECK(world.network.asked == std::map<std::string, int>{{"changelog_last_serial", 2}});
}

TEST_CASE("a narrower filter drops what it leaves out, a wider one brings it back") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.policy.filter = Filter({"foo"}, {});
    REQUIRE_FALSE(world.pass());
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.there("simple/foo/index.html"));
    world.policy.filter = Filter({"*"}, {});
    REQUIRE_FALSE(world.pass());
    CHECK(world.there("simple/bar/index.html"));
}

TEST_CASE("without files the pages link to the master, and with them again to the mirror") {
    World world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    world.policy.page.files = false;
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"url\":\"" + foo.files[0].url));
    CHECK_FALSE(world.there(*file_path(foo.files[0])));
    world.policy.page.files = true;
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("\"url\":\"../../packages/"));
    CHECK(world.there(*file_path(foo.files[0])));
}

TEST_CASE("to hash what an earlier run has left takes none of the patience with the master") {
    World world;
    world.publish(bar);
    world.publish(foo);
    const File& file = bar.files.front();
    world.directory.write("staging/" + to_hex(sha256(file.name.text())) + ".1", file.name.text());
    world.policy.master_requests = 1;
    world.hooks.report = [&](const auto&) { world.clock.advance(1ms); };
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.there("simple/bar/index.html"));
}
