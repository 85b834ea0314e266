// Whether the state knows the tree: not where it was lost, or files of another mirror were adopted,
// or where it was put back from a copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/outcome.h"
#include "pep381d/model/project_name.h"
#include "pep381d/state/state.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// What last-modified shows; nothing where that is no time.
Outcome<std::optional<Time>> shown_last_modified(FileTree& tree);

// No pass of this state was complete yet, or not all pages of one before it are read again: what
// lies in the tree and is not known is no stray.
bool may_be_lost(State& state);

// Of Note::older_tree: its pages that no list names are still to be asked for, or have been queued.
inline constexpr std::int64_t older_tree_unlisted = 1, older_tree_listed = 2;

// Anything lies in that part of web/.
bool has_any(FileTree& tree, const char* part);

// Files may lie in their places that the state does not know of. In a tree without files, as that
// of a new mirror, none do, and nobody has to look for each of them.
bool files_may_be_unknown(State& state, FileTree& tree);

// A page of it lies in the tree, in whatever format.
bool has_page(FileTree& tree, const ProjectName& project);

// Names of the files on such a page; none where it is not of this program's making.
std::vector<std::string> files_of_before(FileTree& tree, const ProjectName& project);

// How many changes of it a state has recorded; 0: it does not show that.
std::int64_t shown_changes(FileTree& tree);

// Why a tree that shows so many changes is not that of the state: one of both was put back from a
// copy, and what the state says of the tree may be wrong. The tree is asked first: beside a daemon
// both go on, and the state is ahead.
std::optional<std::string> why_apart(State& state, std::int64_t shown);

// Why this is not the tree that the state knows: it is not mounted, or a part of it lies elsewhere,
// and what was published into that would hide what is missing. Begins with the path.
std::optional<std::string> why_no_tree(State& state, FileTree& tree);

}  // namespace pep381d
