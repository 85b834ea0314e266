// A clock that only the test moves.
#pragma once

#include <atomic>

#include "pep381d/base/clock.h"

class ManualClock final : public pep381d::Clock {
  public:
    pep381d::Time now() const override {
        return pep381d::Time(std::chrono::milliseconds(milliseconds_ + jumped_));
    }
    pep381d::Steady steady() const override {
        return pep381d::Steady(std::chrono::milliseconds(milliseconds_));
    }
    void advance(std::chrono::milliseconds by) { milliseconds_ += by.count(); }
    // Somebody sets the wall clock.
    void jump(std::chrono::milliseconds by) { jumped_ += by.count(); }

  private:
    std::atomic<std::int64_t> milliseconds_{1'900'000'000'000};
    std::atomic<std::int64_t> jumped_{0};
};
