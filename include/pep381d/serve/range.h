// The part of a file that a Range header asks for (RFC 9110 14). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace pep381d {

struct Slice {
    enum class Kind { whole, part, unsatisfiable };
    Kind kind = Kind::whole;
    std::uint64_t offset = 0;  // bytes
    std::uint64_t length = 0;
    bool operator==(const Slice&) const = default;
};

// One range of bytes gives a part. Several, another unit, or what is not a range at all: the whole,
// as a server may always answer.
Slice slice_of(std::string_view range, std::uint64_t size);

}  // namespace pep381d
