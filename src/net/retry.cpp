#include "pep381d/net/retry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

namespace pep381d {

std::chrono::milliseconds retry_pause(int attempt, std::chrono::milliseconds asked, double random) {
    using std::chrono::milliseconds;
    constexpr milliseconds first = std::chrono::seconds(1);
    constexpr milliseconds longest = std::chrono::hours(1);
    constexpr milliseconds most_asked = std::chrono::hours(24);

    const int doublings = std::clamp(attempt, 1, 13) - 1;  // 2^12 s is beyond the longest
    const milliseconds step = std::min(first * (std::int64_t{1} << doublings), longest);
    const double share = std::clamp(random, 0.0, 1.0);
    const milliseconds pause{std::llround(static_cast<double>(step.count()) * share)};
    return std::max(pause, std::min(asked, most_asked));
}

double random_share() {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace pep381d
