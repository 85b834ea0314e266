// The commands of the program (design 1.1). Each returns the exit status; Fatal carries it where it
// cannot go on.
#pragma once

#include "pep381d/app/config.h"

namespace pep381d {

// Runs what the command line asks for and says on stderr how it ended.
int run_command(const CommandLine& line, int argc, const char* const* argv);

}  // namespace pep381d
