// Pages as the master sent them (pages.mode = copy), over time: what comes of a master that signs
// wrongly, with another key, or not any more.
#include <algorithm>

#include "support/copying.h"

using namespace pep381d;
using namespace sample;

TEST_CASE("a page that its signature does not fit is asked for thrice, and then later and later") {
    Copying world;
    REQUIRE(world.is_current("foo"));
    const auto before = world.shown("foo");
    world.clock.advance(1min);
    const std::string dated = world.bytes("last-modified");
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.network.answers[Copying::signature_at("foo")] =
        world.network.answers[Copying::signature_at("bar")];
    world.sync();
    CHECK(world.network.asked[Copying::page_at("foo")] == 3);
    CHECK(world.network.asked[Copying::signature_at("foo")] == 3);
    CHECK(world.left == 1);
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("it is no signature of the page"));
    CHECK(world.shown("foo") == before);
    CHECK_FALSE(world.there("packages/source/x/foo/foo-2.0.tar.gz"));
    CHECK(world.bytes("last-modified") == dated);

    // What is wrong at the master holds nothing up for ever.
    world.sync_for(62min);
    CHECK(world.left == 1);
    CHECK(world.shown("foo") == before);
    CHECK(world.bytes("last-modified") > dated);

    world.sign("foo");
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
}

TEST_CASE("another key in the middle of a pass ends in pages that are all signed by it") {
    Copying world;
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    const std::string when =
        GENERATE(Copying::page_at("foo"), Copying::signature_at("foo"),
                 std::string(master) + "/packages/source/x/foo/foo-2.0.tar.gz");
    world.network.before = [&](const std::string& asked) {
        if (asked != when) return;
        world.network.before = {};
        world.signer = quick_signer(1);
        world.sign_all();
    };
    world.clock.advance(1min);
    world.sync();
    CHECK_FALSE(world.network.before);
    // The reconcile looks at the key, where no page has made it doubtful.
    world.clock.advance(25h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.is_current("bar"));

    // And back again.
    world.signer = quick_signer(0);
    world.sign_all();
    world.clock.advance(25h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.is_current("bar"));
}

TEST_CASE("a key that is not there for a moment, or is none, changes nothing") {
    Copying world;
    const auto before = world.shown("bar");
    const auto good = world.network.answers[Copying::key_at()];
    std::vector<std::string> files{"foo-1.0.tar.gz"};
    for (const auto& bad :
         std::vector<ScriptedTransport::Answer>{{{}, {}, {Fault::gone, "HTTP 404 Not Found"}},
                                                {{}, {}, {Fault::retry_later, "HTTP 503"}},
                                                {"<html><body>Welcome</body></html>", "text/html"},
                                                {openssl_made::ed25519_public, "text/plain"},
                                                {good.body.substr(0, 100), "text/plain"}}) {
        world.network.answers[Copying::key_at()] = bad;
        world.clock.advance(25h);
        files.push_back("foo-2." + std::to_string(files.size()) + ".tar.gz");
        world.news("foo", files);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 1);
        CHECK(world.left == 0);
        CHECK(world.is_current("foo"));
        CHECK(world.shown("bar") == before);
        world.network.answers[Copying::key_at()] = good;
        world.sync();
    }
}

TEST_CASE(
    "another master's key is asked for before its first page, and all signatures are its own") {
    Copying world;
    world.policy.master_shown = "https://other.example";
    world.signer = quick_signer(1);
    world.sign_all();
    SECTION("it has another key") {
        std::vector<std::string> asked;
        world.network.before = [&](const std::string& url) { asked.push_back(url); };
        world.sync();
        const auto key = std::find(asked.begin(), asked.end(), Copying::key_at());
        REQUIRE(key != asked.end());
        CHECK(std::find(asked.begin(), key, Copying::page_at("foo")) == key);
        CHECK(std::find(asked.begin(), key, Copying::page_at("bar")) == key);
        CHECK(world.left == 0);
        CHECK(world.is_current("foo"));
        CHECK(world.is_current("bar"));
    }
    SECTION("it does not answer: the key of the one before proves nothing") {
        world.signer = quick_signer(0);
        world.sign_all();
        world.network.fail(Copying::key_at(), Fault::retry_later, "HTTP 503");
        const auto before = world.shown("foo");
        world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
        CHECK(world.pass());
        CHECK(world.shown("foo") == before);
    }
}

TEST_CASE("a first pass fetches no page while the master does not answer for its key") {
    Copying world(false);
    world.policy.random = [] { return 1.0; };
    const auto good = world.network.answers[Copying::key_at()];
    world.network.fail(Copying::key_at(), Fault::retry_later, "GET /serverkey: HTTP 503");
    SECTION("with little patience it ends") {
        const auto failure = world.pass();
        REQUIRE(failure);
        CHECK(failure->what == "GET /serverkey: HTTP 503");
        CHECK(world.network.asked[Copying::key_at()] == 1);
    }
    SECTION("with some it asks later and later, and ends too") {
        world.policy.patience = 5s;
        world.hooks.commands = [&] {
            world.clock.advance(1ms);
            std::this_thread::sleep_for(100us);  // the committer's turn: the loop never waits
            return Command::none;
        };
        REQUIRE(world.pass());
        // After 1 and 2 seconds, not after 4 more; less often where the committer has few turns.
        CHECK(world.network.asked[Copying::key_at()] >= 2);
        CHECK(world.network.asked[Copying::key_at()] <= 3);
    }
    CHECK(world.left == 2);
    CHECK(world.network.asked[Copying::page_at("foo")] == 0);
    world.hooks.commands = {};
    world.network.answers[Copying::key_at()] = good;
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
}

TEST_CASE("another key that the journal tells of is found, though the first look brings nonsense") {
    Copying world;
    world.signer = quick_signer(1);
    world.sign_all();
    const auto good = world.network.answers[Copying::key_at()];
    const ScriptedTransport::Answer bad =
        GENERATE(ScriptedTransport::Answer{"<html><body>Welcome</body></html>", "text/html"},
                 ScriptedTransport::Answer{{}, {}, {Fault::refused, "HTTP 403 Forbidden"}});
    world.network.answers[Copying::key_at()] = bad;
    world.tell("", "keyrotate ");
    world.clock.advance(1min);
    world.sync();
    CHECK(world.network.asked[Copying::key_at()] == 1);
    world.network.answers[Copying::key_at()] = good;
    world.say("changelog", "");
    world.clock.advance(1min);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.is_current("foo"));
    CHECK(world.is_current("bar"));
}

TEST_CASE("a key that is missing each night, when it is looked for, is not gone") {
    Copying world;
    const auto before = world.shown("bar");
    const auto good = world.network.answers[Copying::key_at()];
    for (int night = 0; night < 3; ++night) {
        world.network.answers.erase(Copying::key_at());
        world.clock.advance(25h);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 1);
        world.network.answers[Copying::key_at()] = good;
        world.clock.advance(1min);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 1);
        world.sync();
        CHECK(world.network.asked[Copying::key_at()] == 0);
        CHECK(world.shown("bar") == before);
    }
}

TEST_CASE("a look at all asks whether pages are others, and reads those that are") {
    Copying world;
    for (const char* name : {"foo", "bar"})
        world.network.answers[Copying::page_at(name)].conditional = true;
    world.clock.advance(25h);
    world.show("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.network.answers[Copying::page_at("foo")].conditional = true;
    world.network.answers[Copying::page_at("foo")].etag = "\"another\"";
    world.sync();
    CHECK(world.left == 0);
    for (const char* name : {"foo", "bar"}) {
        CHECK(world.network.asked[Copying::page_at(name)] == 1);
        CHECK(world.is_current(name));
    }
    CHECK(world.network.asked[Copying::signature_at("foo")] == 1);
    CHECK(world.network.asked[Copying::signature_at("bar")] == 0);
}

TEST_CASE("a master that signs no more is believed after an hour, and then copied without") {
    Copying world;
    world.network.answers.erase(Copying::key_at());
    for (const char* name : {"foo", "bar"})
        world.network.answers.erase(Copying::signature_at(name));
    const auto before = world.shown("foo");
    world.clock.advance(1min);
    world.news("foo", {"foo-1.0.tar.gz", "foo-2.0.tar.gz"});
    world.network.answers.erase(Copying::signature_at("foo"));
    world.sync();
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("and the master has a key"));
    world.sync_for(55min);
    CHECK(world.shown("foo") == before);
    CHECK(world.there("serversig/bar"));

    world.sync_for(10min);
    CHECK(world.left == 0);
    for (const char* name : {"foo", "bar"}) {
        CHECK(world.shown(name).first == world.pages[name]);
        CHECK_FALSE(world.there(std::string("serversig/") + name));
    }
}
