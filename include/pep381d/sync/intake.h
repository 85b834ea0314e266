// What the master's journal says has changed, put into the queue, and the numbers of its rows.
//
// Thread rule: the committer's thread; each call runs inside a State::Change of the caller.
#pragma once

#include <string_view>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/model/event.h"
#include "pep381d/plan/filter.h"
#include "pep381d/state/state.h"

namespace pep381d {

// `cursor`: how far the journal is read with these events.
// Queues every project that the events name, but for those that the filter leaves out, those whose
// names are not legal, and those of which we show that serial or a newer one already.
void take_events(State& state, const Filter& filter, const std::vector<Event>& events, Time began,
                 Serial cursor);

// A name that no project can have: it is remembered, once.
void skip_illegal(State& state, std::string_view raw);

// Note::numbering: whose serials those in the state are.
inline constexpr std::int64_t serials_theirs = 1, serials_ours = 2;
// The master has no serials, and those in the state are ours.
bool numbers_ours(State& state);
// The next of those: the time, or one more than the highest so far (the state's cursor) where that
// is higher.
Serial own_serial(State& state, Time now);
// Before a page shows it: whatever comes later gets a higher one, also where a kill comes in
// between.
void use_serial(State& state, Serial serial);

// Rows of a journal by time: those that are remembered are left out, the others are remembered and
// numbered. A number is the row's time, or one more than the one before where that is higher (the
// highest so far is the state's cursor), so that what is made of them has serials like any other.
// The highest.
Serial number_rows(State& state, std::vector<Event>& events, Time now);
// From when on the journal is to be asked, Unix seconds: an hour before its newest row, since rows
// are stamped before they can be seen, and before our last poll, since the master's clock may be
// ahead of what it compares with (protocol A.3, B.3).
std::int64_t journal_since(State& state);

// Queues all that is published, to be looked at anew: no 304 says that it is the same.
void take_all(State& state, Time now);

}  // namespace pep381d
