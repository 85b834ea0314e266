#include "pep381d/net/speed_watch.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {

// Looks every second while so many bytes come in each; what was said, or nothing in an hour.
std::optional<std::string> watch(SpeedWatch& watch, std::int64_t bytes_a_second,
                                 std::chrono::seconds step = 1s) {
    SpeedWatch::Time now{10s};
    for (std::int64_t bytes = 0; now < SpeedWatch::Time{1h};
         now += step, bytes += bytes_a_second * step.count())
        if (const auto cause = watch.look(now, bytes)) return cause;
    return std::nullopt;
}

}  // namespace

TEST_CASE("a byte a second is a trickle, some hundred are a slow line") {
    for (const std::int64_t rate : {1, 10, 100}) {
        CAPTURE(rate);
        SpeedWatch slow(30s);
        CHECK(watch(slow, rate) == "it trickles, " + std::to_string(30 * rate) + " bytes in 30s");
    }
    for (const std::int64_t rate : {128, 200, 1'000'000}) {
        CAPTURE(rate);
        SpeedWatch fast(30s);
        CHECK_FALSE(watch(fast, rate));
    }
}

TEST_CASE("a transfer whose own limit is small is left to its deadline") {
    SpeedWatch limited(30s);
    limited.limit(100);
    CHECK_FALSE(watch(limited, 10));
    SpeedWatch hardly(30s);
    hardly.limit(10'000);
    CHECK(watch(hardly, 10));
}

TEST_CASE("a long wait for the first byte is no trickle, silence after it is told as such") {
    SpeedWatch patient(30s);
    SpeedWatch::Time now{10s};
    for (; now < SpeedWatch::Time{60s}; now += 1s) CHECK_FALSE(patient.look(now, 0));
    for (; now < SpeedWatch::Time{90s}; now += 1s) CHECK_FALSE(patient.look(now, 5));
    CHECK(patient.look(now, 5) == "no byte for 30s");
}

TEST_CASE("while we did not look ourselves, nothing is held against the peer") {
    SpeedWatch busy(30s);
    CHECK_FALSE(watch(busy, 1, 10s));
}

TEST_CASE("a redirect begins anew") {
    SpeedWatch led(30s);
    SpeedWatch::Time now{10s};
    std::int64_t bytes = 1000;
    for (int i = 0; i < 25; ++i, now += 1s) CHECK_FALSE(led.look(now, bytes));
    bytes = 10;
    for (int i = 0; i < 30; ++i, now += 1s) CHECK_FALSE(led.look(now, bytes += 5));
    CHECK(led.look(now, bytes) == "it trickles, 145 bytes in 30s");
}
