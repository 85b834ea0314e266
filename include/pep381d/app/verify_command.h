// `pep381d verify`: one round over the whole mirror, each finding a line on stdout.
#pragma once

#include "pep381d/app/config.h"

namespace pep381d {

int verify_command(const CommandLine& line);

}  // namespace pep381d
