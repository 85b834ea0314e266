// The files of a tree that another mirror tool made, taken over without fetching them again: each
// gets its place in our tree, or one in staging/, and the first pass hashes what lies there before
// it uses it. The other tree stays as it is. Its pages are not read: they are the master's to say.
#pragma once

#include <cstdint>
#include <filesystem>

#include "pep381d/base/log.h"
#include "pep381d/tree/directory_tree.h"

namespace pep381d {

struct Adopted {
    std::int64_t taken = 0;
    std::int64_t there = 0;    // something lay in its place already
    std::int64_t ignored = 0;  // no regular files, illegal paths, not readable
};

// `from`: holds packages/, or web/packages/. Files that lie under their digest (aa/bb/rest/NAME)
// keep their path; others, of an older layout, are hashed. Throws Fatal(5) where it cannot be read.
Adopted adopt_files(DirectoryTree& tree, const std::filesystem::path& from, Log& log);

}  // namespace pep381d
