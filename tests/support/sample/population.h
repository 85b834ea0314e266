// The projects of the start and their history, made of a seed: real names, most with a few files
// and few with many.
#pragma once

#include "support/sample/index.h"

namespace sample {

// An index with that many projects (removed ones come on top) and about that many files. Its
// history ends at 2026-11-01T12:00:00Z, and later events go on from there: the same seed gives the
// same bytes at any time. Throws std::runtime_error where the list of names cannot be read.
Index populated(int projects, int files, std::uint64_t seed);

}  // namespace sample
