#include "pep381d/sync/absence.h"

namespace pep381d {

namespace {

constexpr std::chrono::hours believed_after{1};
constexpr std::int64_t looks_least = 3;

}  // namespace

bool absence_believed(State& state, AbsenceNotes notes, Time now) {
    const auto since = state.time(notes.since);
    if (!since) state.set(notes.since, now);
    const std::int64_t looks = state.number(notes.looks).value_or(0) + 1;
    state.set(notes.looks, looks);
    return since && now - *since >= believed_after && looks >= looks_least;
}

void forget_absence(State& state, AbsenceNotes notes) {
    state.unset(notes.since);
    state.unset(notes.looks);
}

}  // namespace pep381d
