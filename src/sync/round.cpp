#include "pep381d/sync/round.h"

namespace pep381d {

namespace {

// How often the place of a round without hashing is noted.
constexpr std::chrono::seconds place_pause{1};

}  // namespace

Round::Round(State& state, FileTree& tree, RoundKind kind, int threads, const Clock& clock,
             bool keep, bool side_by_side)
    : state_(state), kind_(kind), clock_(clock), keep_(keep), began_(clock.now()) {
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
        const auto earlier = state.time(began);
        resumed_ = earlier && *earlier != Time{} && *earlier <= began_;
        if (resumed_) began_ = *earlier;
        options.walked = resumed_ && state.number(walked).value_or(0) != 0;
        options.noting = &clock;
        State::Change change(state);
        state.set(began, began_);
        if (!resumed_) state.set(walked, std::int64_t{0});
        change.commit();
    }
    if (keep) options.since = began_;
    walk_noted_ = options.walked;
    of_ = state.known_projects();
    if (resumed_)
        before_ = options.hash ? state.verified_since(began_)
                               : of_ - state.known_projects(options.behind);
    verification_ = std::make_unique<Verification>(state, tree, options);
}

bool Round::go_on(std::size_t most) {
    const bool more = verification_->go_on(most);
    if (!keep_) return more;
    if (more)
        note_place();
    else
        end();
    return more;
}

void Round::note_place() {
    const Steady now = clock_.steady();
    if (kind_ == RoundKind::looks) {
        if (!verification_->walked_clean() || now - noted_ < place_pause) return;
        noted_ = now;
        State::Change change(state_);
        state_.set(Note::verify_looked, verification_->clean_up_to());
        change.commit();
    } else if (!walk_noted_ && verification_->walked_clean()) {
        walk_noted_ = true;
        State::Change change(state_);
        state_.set(kind_ == RoundKind::scrub ? Note::scrub_walked : Note::verify_walked,
                   std::int64_t{1});
        change.commit();
    }
}

void Round::end() {
    State::Change change(state_);
    if (kind_ == RoundKind::looks) {
        state_.set(Note::verify_looked, std::int64_t{0});
    } else {
        state_.set(kind_ == RoundKind::scrub ? Note::scrub_began : Note::verify_began, Time{});
        state_.set(Note::verified, began_);
    }
    change.commit();
}

}  // namespace pep381d
