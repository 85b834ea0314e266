// The places of files that the state holds, so that a walk over the tree need not ask for each: 8
// bytes a place, of one part of the tree at a time where there are many.
//
// A place that is not contained may be held nevertheless: there was no room for it, or it was
// recorded meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pep381d {

class HeldPlaces {
  public:
    // Those in the `part`-th of so many parts, but `most` of them at most.
    HeldPlaces(std::size_t part, std::size_t parts, std::size_t most);

    // Paths are below web/. All that are in packages/aa/ are in one part.
    bool in_part(std::string_view path) const;
    void add(std::string_view path);
    void settle();  // once all are added
    bool contains(std::string_view path) const;

  private:
    std::size_t part_, parts_, most_;
    std::vector<std::uint64_t> marks_;
};

}  // namespace pep381d
