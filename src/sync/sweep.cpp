#include "pep381d/sync/sweep.h"

#include <algorithm>

namespace pep381d {

namespace {

using std::chrono::milliseconds;

// A round ends somewhat before its time, so that it need not hurry.
constexpr double part_of_interval = 0.9;
// A small mirror is through sooner, and has its rest then.
constexpr std::chrono::hours longest_pause{1};
// So much is asked for again after a kill; or a twentieth of a round.
constexpr std::chrono::minutes between_notes{15};
constexpr std::chrono::minutes later{1};
constexpr int tries_most = 3;

}  // namespace

Sweep::Sweep(State& state, const Filter& filter, const Clock& clock, milliseconds interval)
    : state_(state),
      filter_(filter),
      clock_(clock),
      interval_(interval),
      began_(state.time(Note::sweep_began).value_or(clock.now())),
      place_(state.text(Note::sweep_place).value_or("")),
      done_(state.number(Note::sweep_asked).value_or(0)),
      found_(state.number(Note::sweep_found).value_or(0)),
      noted_(clock.steady()) {
    // A clock that was ahead holds nothing up.
    due_ = clock.steady() + std::clamp(began_ - clock.now(), milliseconds(0), interval);
}

milliseconds Sweep::pause() const {
    const auto projects = std::max<std::int64_t>(1, state_.totals().projects);
    const double all = static_cast<double>(interval_.count()) * part_of_interval;
    const milliseconds one(static_cast<std::int64_t>(all / static_cast<double>(projects)));
    return std::clamp<milliseconds>(one, milliseconds(1), longest_pause);
}

std::optional<Steady> Sweep::next() const {
    if (asked_) return std::nullopt;
    return due_;
}

bool Sweep::due() const {
    return !asked_ && clock_.steady() >= due_;
}

std::optional<Queued> Sweep::take() {
    // Before there is a whole mirror, without room or without a master there is nothing to be won.
    if (!state_.time(Note::last_modified) || !state_.text(Note::shortage).value_or("").empty() ||
        !state_.text(Note::last_error).value_or("").empty()) {
        due_ = clock_.steady() + std::min<milliseconds>(later, pause());
        return std::nullopt;
    }
    const auto names = state_.projects_after(place_, 1);
    if (names.empty()) {
        end_round();
        return std::nullopt;
    }
    const auto ours = state_.published(names.front());
    asked_ = names.front();
    // What is queued is looked at anyway.
    if (!ours || state_.queued(*asked_) || !filter_.wants(*asked_)) {
        pass_by();
        due_ = clock_.steady();
        return std::nullopt;
    }
    // What came between is made up for, as far as it is less than a pause.
    due_ = std::max(due_ + pause(), clock_.steady());
    return Queued{*asked_, ours->display, {}, {}, {}, 0, {}, {}, {}, {}, {}, false};
}

void Sweep::pass_by() {
    place_ = asked_->text();
    asked_.reset();
    attempts_ = 0;
    ++done_;
}

void Sweep::answered(bool changed) {
    if (changed) ++found_;
    pass_by();
    if (clock_.steady() - noted_ >= std::min<milliseconds>(between_notes, interval_ / 20)) note();
}

void Sweep::failed() {
    due_ = clock_.steady() + later * (1 << attempts_);
    if (++attempts_ == tries_most)
        pass_by();
    else
        asked_.reset();
}

void Sweep::end_round() {
    const Time now = clock_.now();
    State::Change change(state_);
    state_.set(Note::swept, began_);
    state_.set(Note::swept_found, found_);
    const auto rest =
        std::clamp<milliseconds>(began_ + interval_ - now, milliseconds(1), interval_);
    began_ = now + rest;
    place_.clear();
    done_ = found_ = 0;
    due_ = clock_.steady() + rest;
    note();
    change.commit();
}

void Sweep::note() {
    State::Change change(state_);
    state_.set(Note::sweep_began, began_);
    state_.set(Note::sweep_place, place_);
    state_.set(Note::sweep_asked, done_);
    state_.set(Note::sweep_found, found_);
    change.commit();
    noted_ = clock_.steady();
}

void Sweep::leave() {
    if (state_.text(Note::sweep_place).value_or("") != place_) note();
}

}  // namespace pep381d
