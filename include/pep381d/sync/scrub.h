// Verifies and mends the mirror beside all else that the committer does: slowly, spread evenly over
// an interval, for the daemon; or one round as fast as it goes, for `verify --repair`.
//
// Where a round stands is noted in the state; a new start goes on there. Thread rule: the
// committer's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/repairs.h"
#include "pep381d/sync/round.h"
#include "pep381d/sync/verification.h"

namespace pep381d {

struct ScrubPolicy {
    std::chrono::milliseconds interval{0};  // for the whole mirror, on and on; 0: not
    bool once = false;                      // one round, at full speed, and no other
    bool hash = true;
    int threads = 0;
    std::function<void(const Finding&, bool mended)> tell;  // of `once`; on the committer's thread
};

class Scrub {
  public:
    Scrub(State& state, FileTree& tree, Repairs& repairs, ScrubPolicy policy, const Clock& clock,
          Log& log);

    // There is something to do now.
    bool due() const;
    // When there will be; nothing: not before something changes.
    std::optional<Steady> next() const;
    // One slice.
    void go_on();
    // It goes on with the next start: notes the place.
    void leave();
    // The one round is not over, or projects wait to be mended.
    bool round_left() const;
    // Something was mended since the last call.
    bool take_mended() { return std::exchange(mended_, false); }

    struct Counters {
        std::atomic<std::int64_t> projects{0}, of{0}, bytes{0};
        std::atomic<std::int64_t> found{0}, not_mended{0};
    };
    const Counters& counters() const { return counters_; }

  private:
    void start_round();
    void end_round();
    bool may_mend(const Finding& finding);
    void take(const Finding& finding);

    State& state_;
    FileTree& tree_;
    Repairs& repairs_;
    const ScrubPolicy policy_;
    const Clock& clock_;
    Log& log_;
    std::optional<Round> round_;
    bool over_ = false;
    bool mended_ = false;
    double bytes_a_second_ = 0;
    Steady due_{};
    Counters counters_;
};

}  // namespace pep381d
