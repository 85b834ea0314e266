// What pages.mode = copy cannot go together with.
#pragma once

#include <string>
#include <vector>

#include "pep381d/app/config.h"

namespace pep381d {

struct CopyConflict {
    std::string key;
    std::string what;  // the cause and what to write instead
};

// None where pages are not copied.
std::vector<CopyConflict> copy_conflicts(const Config& config);

}  // namespace pep381d
