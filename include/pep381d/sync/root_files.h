// The root index as files: all formats of the policy are staged, and take their places together.
//
// Thread rule: the committer's thread. Failures are Fatal(5).
#pragma once

#include <cstdint>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// In pieces: it is tens of megabytes. Returns the count of root changes (Note::root_changes) that
// it shows.
std::int64_t stage_root(State& state, FileTree& tree, const Policy& policy, const Clock& clock);
// What was staged; and the root index of other formats goes.
void place_root(FileTree& tree, const Policy& policy);
void remove_unwanted_root(FileTree& tree, const Policy& policy);

}  // namespace pep381d
