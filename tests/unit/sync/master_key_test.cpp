// What is believed of a master's key. That it has none would take all signatures from its pages.
#include "pep381d/sync/master_key.h"

#include "pep381d/sync/freshness.h"

#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/openssl_keys.h"
#include "support/silent_log.h"
#include "support/temporary_directory.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {

struct World {
    TemporaryDirectory directory;
    State state{directory.path() / "state.db", State::Access::write};
    ManualClock clock;
    SilentLog log;
    MasterKey key{state, clock, log};

    // True: all signatures are to be fetched again.
    bool hear(const KeyArrived& answer) {
        State::Change change(state);
        const bool again = key.arrived(answer);
        change.commit();
        return again;
    }
    bool hear_key() { return hear({std::string(openssl_made::dsa_public), std::nullopt}); }
    bool hear(Fault fault) { return hear({std::nullopt, Failure{fault, "no key"}}); }
    bool signed_pages() { return key.known().key != nullptr; }
};

}  // namespace

TEST_CASE("a master that had a key is believed to have none after an hour and three looks") {
    World world;
    CHECK_FALSE(world.hear_key());
    REQUIRE(world.signed_pages());

    CHECK_FALSE(world.hear(Fault::gone));
    world.clock.advance(59min + 59s);
    CHECK_FALSE(world.hear(Fault::gone));
    CHECK(world.signed_pages());
    SECTION("an hour") {
        world.clock.advance(1s);
        CHECK(world.hear(Fault::gone));
        CHECK_FALSE(world.signed_pages());
        CHECK_FALSE(world.key.known().unknown);
        CHECK(world.hear_key());
        CHECK(world.signed_pages());
    }
    SECTION("an hour, of which a later run sees the end") {
        world.clock.advance(1s);
        MasterKey later(world.state, world.clock, world.log);
        State::Change change(world.state);
        CHECK(later.arrived({std::nullopt, Failure{Fault::gone, "no key"}}));
        change.commit();
        CHECK_FALSE(later.known().key);
    }
    SECTION("the key was there in between") {
        CHECK_FALSE(world.hear_key());
        world.clock.advance(30min);
        CHECK_FALSE(world.hear(Fault::gone));
        CHECK(world.signed_pages());
        world.clock.advance(1h);
        CHECK_FALSE(world.hear(Fault::gone));
        CHECK(world.hear(Fault::gone));
    }
    SECTION("other answers are not that") {
        world.clock.advance(24h);
        CHECK_FALSE(world.hear(Fault::retry_later));
        CHECK_FALSE(world.hear(Fault::corrupt));
        CHECK(world.signed_pages());
    }
}

TEST_CASE("two nights without a key are no hour without") {
    World world;
    CHECK_FALSE(world.hear_key());
    CHECK_FALSE(world.hear(Fault::gone));
    world.clock.advance(24h);
    CHECK_FALSE(world.hear(Fault::gone));
    CHECK(world.signed_pages());
    world.clock.advance(10min);
    CHECK(world.hear(Fault::gone));
    CHECK_FALSE(world.signed_pages());
}

TEST_CASE("a look that brings nothing to believe stays due, and its cause is told until one does") {
    World world;
    CHECK_FALSE(world.hear_key());
    CHECK_FALSE(world.key.due());
    const Fault fault = GENERATE(Fault::corrupt, Fault::refused, Fault::gone, Fault::retry_later);
    {
        State::Change change(world.state);
        world.key.look_now();
        change.commit();
    }
    CHECK_FALSE(world.hear(fault));
    CHECK(world.key.due());
    CHECK_FALSE(world.key.urgent());
    Policy policy;
    policy.copy = true;
    CHECK(survey(world.state, policy, world.clock.now(), 0).key_error == "no key");
    CHECK_FALSE(world.hear_key());
    CHECK_FALSE(world.key.due());
    CHECK(survey(world.state, policy, world.clock.now(), 0).key_error.empty());
}

TEST_CASE(
    "a master that never had a key has none at once, and one that does not answer is not known") {
    World world;
    CHECK_FALSE(world.hear(Fault::retry_later));
    CHECK(world.key.known().unknown);
    CHECK(world.key.urgent());
    CHECK_FALSE(world.hear(Fault::corrupt));
    CHECK(world.key.known().unknown);
    CHECK_FALSE(world.key.urgent());
    CHECK_FALSE(world.hear(Fault::gone));
    CHECK_FALSE(world.key.known().unknown);
    CHECK_FALSE(world.signed_pages());
}
