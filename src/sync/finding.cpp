#include "pep381d/sync/finding.h"

#include <array>

namespace pep381d {

std::string_view name_of(Flaw flaw) {
    static constexpr std::array<std::string_view, 11> names{
        "missing", "wrong_kind", "wrong_size", "wrong_bytes", "unreadable", "access",
        "stray",   "dead_link",  "ahead",      "foreign",     "leftover"};
    static_assert(names.size() == static_cast<std::size_t>(Flaw::leftover) + 1);
    return names[static_cast<std::size_t>(flaw)];
}

std::string cause_of(const Failure& failure) {
    if (failure.fault == Fault::exhausted) give_up(failure);
    return failure.what;
}

bool is_fault(Flaw flaw) {
    return flaw != Flaw::foreign && flaw != Flaw::leftover;
}

}  // namespace pep381d
