// The root index in each format against the state, in one pass over both.
//
// Where the state has changed since it was written, only what always holds is asked for: it is
// whole, and each project that it names has its page (design 2.2). Thread rule: the state's.
#pragma once

#include <vector>

#include "pep381d/state/state.h"
#include "pep381d/sync/examination.h"
#include "pep381d/sync/finding.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

std::vector<Finding> check_root(State& state, FileTree& tree, const Formats& formats);

}  // namespace pep381d
