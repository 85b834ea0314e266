// A lock between processes, held as long as a descriptor is open (flock). The kernel gives it up
// with the process, however that ends.
#pragma once

#include <string>

#include "pep381d/base/descriptor.h"

namespace pep381d {

// Locks the open file or directory; false where another process has it locked.
bool lock(const Descriptor& file);
// ` (process 4711)`, of who has it locked, from the kernel's table; empty where that does not say.
std::string lock_holder(const Descriptor& file);

}  // namespace pep381d
