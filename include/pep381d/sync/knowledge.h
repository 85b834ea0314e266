// Whether the state knows the tree: not where it was lost, or files of another mirror were adopted,
// or where it was put back from a copy.
#pragma once

#include <optional>

#include "pep381d/base/clock.h"
#include "pep381d/base/outcome.h"
#include "pep381d/state/state.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// What last-modified shows; nothing where that is no time.
Outcome<std::optional<Time>> shown_last_modified(FileTree& tree);

// No pass of this state was complete yet: what lies in the tree and is not known is no stray.
bool may_be_lost(State& state);

// Or the tree shows more than what the state knows of: where they differ, the tree may be right.
bool may_be_older(State& state, FileTree& tree);

}  // namespace pep381d
