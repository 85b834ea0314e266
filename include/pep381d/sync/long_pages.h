// What the long pages that are in memory take of it, from their first bytes until they are
// published: few of them fit beside each other. Short ones are bounded by their number.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace pep381d {

class LongPages {
  public:
    // That of one page, until it is destroyed, on whatever thread.
    class Share {
      public:
        explicit Share(std::shared_ptr<std::atomic<std::int64_t>> held) : held_(std::move(held)) {}
        ~Share() { *held_ -= bytes_; }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        // It takes so many bytes by now. False: more than there is room for beside the others. One
        // alone always has room.
        bool take(std::int64_t bytes);

      private:
        std::shared_ptr<std::atomic<std::int64_t>> held_;
        std::int64_t bytes_ = 0;
    };

    std::shared_ptr<Share> add() { return std::make_shared<Share>(held_); }
    bool none() const { return *held_ == 0; }

  private:
    std::shared_ptr<std::atomic<std::int64_t>> held_ =
        std::make_shared<std::atomic<std::int64_t>>(0);
};

}  // namespace pep381d
