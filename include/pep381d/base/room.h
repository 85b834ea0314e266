// How much room a file system has left, and how much of it the mirror leaves alone
// (mirror.min-free). Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pep381d/base/outcome.h"

namespace pep381d {

// For who is not root. No total: the file system does not count them.
struct Room {
    std::int64_t bytes = 0;
    std::int64_t bytes_total = 0;
    std::int64_t inodes = 0;
    std::int64_t inodes_total = 0;
};

Outcome<Room> room_at(const std::string& directory);

// As the configuration has it: an amount, or a part of the whole.
struct Reserve {
    std::int64_t amount = 0;
    double percent = 0;
    bool operator==(const Reserve&) const = default;
};

struct Reserves {
    Reserve bytes;
    Reserve inodes;
};

// What there is too little of, `1.2 MiB are left, and 1 GiB ...`; nothing where there is enough.
// `was_short`: a tenth more is asked for, so that the answer does not change with every file.
std::optional<std::string> shortage(const Room& room, const Reserves& reserves, bool was_short);

}  // namespace pep381d
