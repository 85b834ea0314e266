// The command `adopt`: sets aside a damaged state, and takes over the files of another tool's tree.
// The next pass does the rest: it uses what lies in its place, once it is hashed, and fetches what
// does not.
#pragma once

#include <string>

#include "pep381d/app/config.h"
#include "pep381d/base/log.h"

namespace pep381d {

// `from` empty: our own tree alone. Tells on stdout what it did. Throws Fatal(5) where the mirror
// has a state that is whole and knows its tree.
void adopt(const Config& config, const std::string& from, Log& log);

}  // namespace pep381d
