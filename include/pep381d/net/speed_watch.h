// Tells a transfer that trickles from one that is slow: a peer that sends a byte now and then is
// never silent, and would hold a slot until the deadline. Pure: it is told the time.
//
// What it judges is the body; a peer that is silent, or does not get to a body, is curl's own limit
// to end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace pep381d {

class SpeedWatch {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // Averages over `timeout`, rounded up to whole seconds as curl does.
    explicit SpeedWatch(std::chrono::milliseconds timeout);
    // What our own limit leaves to this transfer, bytes a second; 0: there is none.
    void limit(std::int64_t share) { share_ = share; }
    // Called at least every second while the transfer runs, with the bytes of body so far. The
    // cause where it has to end.
    std::optional<std::string> look(Time now, std::int64_t bytes);

    // A share that leaves no more than this is slow by our own doing: such a transfer is not
    // watched.
    static constexpr std::int64_t least_share = 1024;

  private:
    std::chrono::milliseconds timeout_;
    std::chrono::seconds window_;
    std::int64_t share_ = 0;
    Time looked_{};          // the last time
    Time since_{};           // the window
    std::int64_t from_ = 0;  // bytes when it began
    Time changed_{};         // when the last byte was seen
    std::int64_t last_ = 0;
};

}  // namespace pep381d
