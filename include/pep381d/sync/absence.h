// Whether the master has something no more. A 404 may be a bad moment: it is believed when it was
// seen in three looks at least, with an hour between the first and the last. Two are not enough,
// since looks may be a night apart.
//
// Thread rule: the committer's thread, inside a State::Change of the caller.
#pragma once

#include "pep381d/state/state.h"

namespace pep381d {

struct AbsenceNotes {
    Note since;  // Time: of the first look
    Note looks;  // count
};

// One more look has not found it. True: that is believed.
bool absence_believed(State& state, AbsenceNotes notes, Time now);
// It was found, or its absence is believed and noted elsewhere.
void forget_absence(State& state, AbsenceNotes notes);

}  // namespace pep381d
