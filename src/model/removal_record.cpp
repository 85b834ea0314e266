#include "pep381d/model/removal_record.h"

#include <array>
#include <cstddef>

namespace pep381d {

namespace {

// In the order of RemovalKind.
constexpr std::array<std::string_view, 8> names{"removed",     "kept",    "blocked", "unwanted",
                                                "quarantined", "cleared", "files",   "damaged"};
static_assert(names.size() == static_cast<std::size_t>(RemovalKind::damaged) + 1);

}  // namespace

std::string_view name_of(RemovalKind kind) {
    return names[static_cast<std::size_t>(kind)];
}

std::optional<RemovalKind> removal_kind(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names.at(i) == name) return static_cast<RemovalKind>(i);
    return std::nullopt;
}

std::string_view said_by(RemovalKind kind) {
    switch (kind) {
        case RemovalKind::blocked:
        case RemovalKind::unwanted:
            return "configuration";
        case RemovalKind::damaged:
            return "verify";
        default:
            return "master";
    }
}

}  // namespace pep381d
