#include "pep381d/sync/held_places.h"

#include <algorithm>
#include <functional>

#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

std::uint64_t mark_of(std::string_view path) {
    return std::hash<std::string_view>()(path);
}

}  // namespace

HeldPlaces::HeldPlaces(std::size_t part, std::size_t parts, std::size_t most)
    : part_(part), parts_(parts), most_(most) {}

bool HeldPlaces::in_part(std::string_view path) const {
    const auto second = path.find('/', path.find('/') + 1);
    return parts_ == 1 || mark_of(path.substr(0, second)) % parts_ == part_;
}

void HeldPlaces::add(std::string_view path) {
    if (marks_.size() < most_ && in_part(path)) marks_.push_back(mark_of(path));
}

void HeldPlaces::settle() {
    std::sort(marks_.begin(), marks_.end());
}

bool HeldPlaces::contains(std::string_view path) const {
    return std::binary_search(marks_.begin(), marks_.end(), mark_of(path));
}

}  // namespace pep381d
