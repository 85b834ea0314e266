// One round of verifying, whose place is noted in the state: killed and started again, it goes on
// where it was. Thread rule: the state's.
#pragma once

#include <memory>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/verification.h"

namespace pep381d {

// Whose place it is: a command's, with and without hashing, and the daemon's do not mix.
enum class RoundKind { command, looks, scrub };

class Round {
  public:
    // `keep`: the place is noted, and an earlier round that did not end is gone on with. Only with
    // a state that may be written.
    Round(State& state, FileTree& tree, RoundKind kind, int threads, const Clock& clock, bool keep,
          bool side_by_side = false);

    // As Verification::go_on(). First the place is noted, about once a second: who took what was
    // found by then does not lose it where the state cannot be written.
    bool go_on(std::size_t most);
    // At the end, and for who stops before.
    void note_place();
    Verification& verification() { return *verification_; }
    bool resumed() const { return resumed_; }
    Time began() const { return began_; }
    // Projects looked at, earlier starts counted in, and of how many.
    std::int64_t projects() const { return before_ + verification_->projects_done(); }
    std::int64_t of() const { return of_; }

  private:
    State& state_;
    const RoundKind kind_;
    const Clock& clock_;
    const bool keep_;
    Time began_;
    bool resumed_ = false, over_ = false;
    Steady noted_;
    std::int64_t before_ = 0, of_ = 0;
    std::unique_ptr<Verification> verification_;
};

}  // namespace pep381d
