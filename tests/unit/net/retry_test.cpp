#include "pep381d/net/retry.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

TEST_CASE(
    "the pause doubles up to an hour, half of it by chance, and is never below what the peer asked "
    "for") {
    struct Row {
        int attempt;
        std::chrono::milliseconds asked;
        double random;
        std::chrono::milliseconds pause;
    };
    const Row rows[] = {
        {1, 0s, 0.0, 500ms},    {1, 0s, 0.5, 750ms},  {2, 0s, 0.0, 1s},
        {3, 0s, 0.5, 3s},       {11, 0s, 0.0, 512s},  {12, 0s, 0.0, 1024s},
        {13, 0s, 0.0, 30min},   {14, 0s, 0.5, 45min}, {1'000'000, 0s, 0.0, 30min},
        {0, 0s, 0.0, 500ms},    {-5, 0s, 0.0, 500ms}, {1, 120s, 0.5, 120s},
        {1, 600ms, 0.5, 750ms}, {13, 24h, 0.5, 24h},  {1, 1000h, 0.0, 24h},
        {1, -5s, 0.0, 500ms},   {1, 0s, 7.0, 1s},     {13, 0s, 0.9999999, 3600s},
    };
    for (const Row& row : rows) {
        CAPTURE(row.attempt, row.asked.count(), row.random);
        CHECK(retry_pause(row.attempt, row.asked, row.random).count() == row.pause.count());
    }
}
