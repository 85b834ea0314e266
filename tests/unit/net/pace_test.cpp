#include "pep381d/net/pace.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {

const Steady start{1000s};
const Failure busy{Fault::retry_later, "HTTP 503"};
const Failure limit{Fault::retry_later, "HTTP 429", 0s, true};

// How many may run at a time, where each ends before the next ten begin.
int budget_of(Pace& pace) {
    int running = 0;
    for (; running < 100 && pace.next(); ++running) pace.started();
    for (int i = 0; i < running; ++i) pace.ended();
    return running;
}

}  // namespace

TEST_CASE("one project that fails for ever slows nobody down, three of them do") {
    Pace pace(10);
    for (int i = 0; i < 100; ++i) pace.failed("foo", {Fault::retry_later, "x", 600s}, start);
    pace.failed("bar", busy, start);
    CHECK(pace.next() <= start);
    pace.failed("baz", busy, start);
    CHECK(pace.next() == start + 1s);
}

TEST_CASE("a host that goes on failing is given longer and longer pauses, until it answers") {
    Pace pace(10);
    Steady now = start;
    pace.failed("foo", busy, now);
    pace.failed("bar", busy, now);
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 64s}) {
        pace.failed("baz", busy, now);
        // What was under way counts once.
        pace.failed("foo", busy, now);
        REQUIRE(pace.next() == now + pause);
        now = *pace.next();
    }
    pace.answered();
    pace.failed("baz", busy, now);
    CHECK(pace.next() <= now);
}

TEST_CASE("a host that says 429 is left alone as long as it asks, an hour at most") {
    Pace pace(10);
    auto asked = limit;
    asked.wait = 600s;
    pace.failed("foo", asked, start);
    CHECK(pace.next() == start + 600s);
    CHECK(pace.limited_until() == start + 600s);
    pace.well();  // a poll that was under way
    CHECK(pace.next() == start + 600s);
    asked.wait = 24h;
    pace.failed("foo", asked, start + 1s);
    CHECK(pace.next() == start + 1s + 1h);
}

TEST_CASE("a host that says 429 is asked half as much at a time, and more again as it goes well") {
    Pace pace(10);
    Steady now = start;
    for (const int budget : {5, 2, 1, 1}) {
        pace.failed("foo", limit, now);
        pace.failed("bar", limit, now);
        CHECK(budget_of(pace) == budget);
        now = *pace.next();
    }
    for (int budget = 1; budget < 9; ++budget) {
        for (int i = 0; i < budget; ++i) pace.answered();
        CHECK(budget_of(pace) == budget + 1);
    }
    for (int i = 0; i < 9; ++i) pace.answered();
    CHECK(budget_of(pace) == 100);  // here it is not what bounds them
}

TEST_CASE("a transfer from which nothing comes takes no place where others take a fraction of it") {
    Slots slots;
    for (int i = 0; i < 3; ++i) slots.start(start);
    CHECK(slots.taken(start + 1h, 3) == 3);  // who knows what is usual
    const auto quick = slots.start(start);
    slots.heard(quick, start + 500ms);
    slots.heard(quick, start + 600ms);
    slots.end(quick);
    slots.start(start + 3s);
    CHECK(slots.taken(start + 4s, 4) == 4);
    CHECK(slots.taken(start + 5s, 4) == 1);
    // No more than are allowed are overlooked.
    for (int i = 0; i < 6; ++i) slots.start(start + 3s);
    CHECK(slots.running() == 10);
    CHECK(slots.taken(start + 1h, 4) == 6);
}

TEST_CASE("where all are slow, none hangs") {
    Slots slots;
    Steady now = start;
    const auto slow = slots.start(now);
    for (int i = 0; i < 5; ++i) {
        const auto other = slots.start(now);
        now += 6s;
        slots.heard(other, now);
        // The rest comes at once: what counts is the longest of its pauses.
        for (int piece = 0; piece < 100; ++piece) slots.heard(other, now);
        slots.end(other);
        // Those of which nothing came do not count.
        slots.end(slots.start(now));
    }
    slots.heard(slow, start + 12s);
    CHECK(slots.taken(now, 1) == 1);
    CHECK_FALSE(slots.all_hang(now));
    CHECK(slots.all_hang(now + 1h));
}

TEST_CASE("a transfer that is slow and comes on does not hang, even alone") {
    Slots slots;
    Steady now = start;
    const auto slow = slots.start(now);
    CHECK(slots.newest() == start);
    for (int i = 0; i < 10; ++i) {
        now += 5s;
        slots.heard(slow, now);
        CHECK_FALSE(slots.all_hang(now + 5s));
    }
    CHECK(slots.newest() == now);
    CHECK(slots.all_hang(now + 1min));
    // One more that has just begun.
    slots.start(now + 1min);
    CHECK_FALSE(slots.all_hang(now + 1min));
}
