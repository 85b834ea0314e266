// The full list of names, compared with the state, and what a change of the filter leaves of that.
//
// Thread rule: the committer's thread; each call runs inside a State::Change of the caller.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/plan/filter.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

struct ListResult {
    std::int64_t names = 0;  // in the list, legal or not
    std::int64_t queued = 0;
    std::int64_t absent = 0;  // published projects that it lacks
    Serial highest;           // that the list reflects; where it has no serials, one of our own
    bool numbered = true;     // it has serials
    Serial told;              // that of the list as a whole, where it names one
    std::unordered_set<std::string> unlisted;  // of what is under way: what it lacks
};

// Compares the full list with the state in one pass in the order of names and in memory that does
// not grow with it: queues what is new or newer at the master, and what we show and it lacks (where
// deleted projects are kept, only what waits for its page anyway is noted as absent). Of a list
// without serials: what is new, and where it is `full`, all. Names that the configuration lists and
// the master lacks are logged. Fails with Fault::corrupt on a list that is not whole or is empty,
// that is older than the one before, or has no serials while that one had, and has changed nothing
// then. `under_way`: normalized names whose pages may be read by now, and not be recorded yet.
Outcome<ListResult> take_list(State& state, FileTree& tree, const Policy& policy,
                              const ListArrived& arrived, std::unordered_set<std::string> under_way,
                              Log& log);

// After a change of the filter: queues the published projects that are no longer wanted, those of a
// state that was lost among them. Those of them that filter.block names.
std::vector<ProjectName> take_unwanted(State& state, FileTree& tree, const Filter& filter,
                                       Time now);

}  // namespace pep381d
