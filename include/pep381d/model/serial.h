// The number of a journal row at the master; pages and lists carry the highest one that they
// reflect.
#pragma once

#include <compare>
#include <cstdint>

namespace pep381d {

struct Serial {
    std::int64_t value = 0;  // 0: none known
    auto operator<=>(const Serial&) const = default;
};

}  // namespace pep381d
