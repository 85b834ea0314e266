// What the master says has changed, put into the queue: a poll's events and the full list of names.
//
// Thread rule: the committer's thread; each call runs inside a State::Change of the caller.
#pragma once

#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/plan/filter.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/messages.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// `cursor`: how far the journal is read with these events.
// Queues every project that the events name, but for those that the filter leaves out, those whose
// names are not legal, and those of which we show that serial or a newer one already.
void take_events(State& state, const Filter& filter, const std::vector<Event>& events, Time began,
                 Serial cursor);

// The master has no serials, and those in the state are ours.
bool numbers_ours(State& state);
// The next of those: the time, or one more than the highest so far (the state's cursor) where that
// is higher.
Serial own_serial(State& state, Time now);

// Rows of a journal by time: those that are remembered are left out, the others are remembered and
// numbered. A number is the row's time, or one more than the one before where that is higher (the
// highest so far is the state's cursor), so that what is made of them has serials like any other.
// The highest.
Serial number_rows(State& state, std::vector<Event>& events, Time now);
// From when on the journal is to be asked, Unix seconds: an hour before its newest row, since rows
// are stamped before they can be seen, and before our last poll, since the master's clock may be
// ahead of what it compares with (protocol A.3, B.3).
std::int64_t journal_since(State& state);

struct ListResult {
    std::int64_t names = 0;  // in the list, legal or not
    std::int64_t queued = 0;
    std::int64_t absent = 0;  // published projects that it lacks
    Serial highest;           // that the list reflects; where it has no serials, one of our own
    bool numbered = true;     // it has serials
    Serial told;              // that of the list as a whole, where it names one
};

// Compares the full list with the state in one pass in the order of names and in memory that does
// not grow with it: queues what is new or newer at the master, and what we show and it lacks (with
// `keep_deleted` only what waits for its page anyway is noted as absent). Of a list without
// serials: what is new, and where it is `full`, all. Names that the configuration lists and the
// master lacks are logged. Fails with Fault::corrupt on a list that is not whole or is empty, that
// is older than the one before, or has no serials while that one had, and has changed nothing then.
Outcome<ListResult> take_list(State& state, FileTree& tree, const Filter& filter,
                              const ListArrived& arrived, bool keep_deleted, Log& log);

// Queues all that is published, to be looked at anew: no 304 says that it is the same.
void take_all(State& state, Time now);

// After a change of the filter: queues the published projects that are no longer wanted, those of a
// state that was lost among them. Those of them that filter.block names.
std::vector<ProjectName> take_unwanted(State& state, FileTree& tree, const Filter& filter,
                                       Time now);

}  // namespace pep381d
