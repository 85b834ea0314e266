// What proves a page in HTML that was copied as the master sent it (pages.mode = copy).
#pragma once

#include <cstdint>
#include <string>

namespace pep381d {

struct CopiedPage {
    std::int64_t size = 0;  // bytes
    std::string sha256;     // 32 bytes
    std::string signature;  // the master's (DSA, DER), verified; empty: it gives none
    bool operator==(const CopiedPage&) const = default;
};

}  // namespace pep381d
