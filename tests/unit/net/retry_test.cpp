#include "pep381d/net/retry.h"

#include <algorithm>
#include <thread>

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

TEST_CASE(
    "the pause is any share of a step that doubles up to an hour, and never below what the peer "
    "asked for") {
    struct Row {
        int attempt;
        std::chrono::milliseconds asked;
        double random;
        std::chrono::milliseconds pause;
    };
    const Row rows[] = {
        {1, 0s, 0.0, 0s},       {1, 0s, 0.5, 500ms},   {2, 0s, 0.5, 1s},
        {3, 0s, 0.25, 1s},      {11, 0s, 0.5, 512s},   {12, 0s, 0.5, 1024s},
        {13, 0s, 0.5, 30min},   {14, 0s, 0.75, 45min}, {1'000'000, 0s, 0.5, 30min},
        {0, 0s, 0.5, 500ms},    {-5, 0s, 0.5, 500ms},  {1, 120s, 0.5, 120s},
        {1, 400ms, 0.5, 500ms}, {13, 24h, 0.5, 24h},   {1, 1000h, 0.0, 24h},
        {1, -5s, 0.0, 0s},      {1, 0s, 7.0, 1s},      {13, 0s, 0.9999999, 3600s},
        {1, 0s, -7.0, 0s},
    };
    for (const Row& row : rows) {
        CAPTURE(row.attempt, row.asked.count(), row.random);
        CHECK(retry_pause(row.attempt, row.asked, row.random).count() == row.pause.count());
    }
}

TEST_CASE("shares are spread over the whole range, and not the same in each thread") {
    double least = 1, most = 0, sum = 0;
    for (int i = 0; i < 1000; ++i) {
        const double share = random_share();
        least = std::min(least, share);
        most = std::max(most, share);
        sum += share;
    }
    CHECK(least >= 0);
    CHECK(least < 0.1);
    CHECK(most > 0.9);
    CHECK(most < 1);
    CHECK((sum > 400 && sum < 600));
    double elsewhere = 0;
    std::thread([&] { elsewhere = random_share(); }).join();
    double again = 0;
    std::thread([&] { again = random_share(); }).join();
    CHECK(elsewhere != again);
}
