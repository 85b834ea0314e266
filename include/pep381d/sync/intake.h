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

struct ListResult {
    std::int64_t names = 0;  // in the list, legal or not
    std::int64_t queued = 0;
    std::int64_t absent = 0;  // published projects that it lacks
    Serial highest;
};

// Compares the full list, a file of staging/, with the state in one pass in the order of names and
// in memory that does not grow with it: queues what is new or newer at the master, and what we show
// and it lacks (not with `keep_deleted`). Names that the configuration lists and the master lacks
// are logged. Fails with Fault::corrupt on a list that is not whole or is empty, and has changed
// nothing then.
Outcome<ListResult> take_list(State& state, FileTree& tree, const Filter& filter,
                              const std::string& staged, Time began, bool keep_deleted, Log& log);

// After a change of the filter: queues the published projects that are no longer wanted. Those of
// them that filter.block names.
std::vector<ProjectName> take_unwanted(State& state, const Filter& filter, Time now);

}  // namespace pep381d
