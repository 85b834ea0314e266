#include "pep381d/sync/round.h"

#include <algorithm>

namespace pep381d {

namespace {

constexpr std::chrono::seconds place_pause{1};

}  // namespace

Round::Round(State& state, FileTree& tree, RoundKind kind, int threads, const Clock& clock,
             bool keep, bool side_by_side)
    : state_(state),
      kind_(kind),
      clock_(clock),
      keep_(keep),
      began_(clock.now()),
      noted_(clock.steady()) {
    VerifyOptions options;
    options.hash = kind != RoundKind::looks;
    options.threads = threads;
    // Who mends wants what is in the way gone before projects are looked at.
    options.side_by_side = side_by_side;
    const Note began = kind == RoundKind::scrub ? Note::scrub_began : Note::verify_began;
    const Note walked = kind == RoundKind::scrub ? Note::scrub_walked : Note::verify_walked;
    if (keep && kind == RoundKind::looks) {
        options.behind = state.number(Note::verify_looked).value_or(0);
        options.walked = resumed_ = options.behind > 0;
    } else if (keep) {
        // What a clock that was ahead has noted would be passed by.
        State::Change change(state);
        state.forget_verified_after(began_);
        change.commit();
        const auto earlier = state.time(began);
        resumed_ = earlier && *earlier != Time{} && *earlier <= began_;
        if (resumed_) began_ = *earlier;
        options.walked = resumed_ && state.number(walked).value_or(0) != 0;
    }
    if (keep) options.since = began_;
    of_ = state.known_projects();
    if (resumed_)
        before_ = options.hash ? state.verified_since(began_)
                               : of_ - state.known_projects(options.behind);
    verification_ = std::make_unique<Verification>(state, tree, options);
}

bool Round::go_on(std::size_t most) {
    if (clock_.steady() - noted_ >= place_pause) note_place();
    over_ = !verification_->go_on(most);
    return !over_;
}

// In one change: each costs a flush.
void Round::note_place() {
    noted_ = clock_.steady();
    const auto verified = verification_->take_verified();
    if (!keep_) return;
    State::Change change(state_);
    if (kind_ == RoundKind::looks) {
        const bool passed = verification_->walked_clean() && !over_;
        const std::int64_t place = passed ? verification_->clean_up_to() : 0;
        if (place == state_.number(Note::verify_looked).value_or(0)) return;
        state_.set(Note::verify_looked, place);
    } else {
        const bool scrub = kind_ == RoundKind::scrub;
        // A clock that is set back meanwhile does not bring them once more.
        const Time at = std::max(began_, clock_.now());
        for (const std::int64_t project : verified) state_.note_verified(project, at);
        state_.set(scrub ? Note::scrub_began : Note::verify_began, over_ ? Time{} : began_);
        state_.set(scrub ? Note::scrub_walked : Note::verify_walked,
                   std::int64_t{verification_->walked_clean() ? 1 : 0});
        if (over_) state_.set(Note::verified, began_);
    }
    change.commit();
}

}  // namespace pep381d
