// Random numbers that are the same on every platform and standard library: splitmix64 (Steele, Lea,
// Flood 2014). Not for secrets. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace sample {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_{seed} {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    // 0 <= below(n) < n; n > 0.
    std::uint64_t below(std::uint64_t n) { return next() % n; }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
    }
    bool percent(unsigned share) { return below(100) < share; }
    double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

    template <class List>
    auto& pick(List& list) {
        return list[below(std::size(list))];
    }

  private:
    std::uint64_t state_;
};

// A seed of its own for each named thing, so that adding one thing leaves the others as they were
// (FNV-1a).
inline std::uint64_t seed_for(std::uint64_t seed, std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return Random{hash}.next();
}

}  // namespace sample
