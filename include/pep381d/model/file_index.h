// Finds files by name in a list that mostly stands in the order in which they are asked for, as two
// states of one page do.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "pep381d/model/project_page.h"

namespace pep381d {

class FileIndex {
  public:
    // The files must stay where they are.
    explicit FileIndex(const std::vector<File>& files) : files_(files) {}

    // The file's place in the list.
    std::optional<std::size_t> find(std::string_view name);

  private:
    const std::vector<File>& files_;
    std::size_t next_ = 0;  // behind the one found before
    // A tree: names are a stranger's, who may know which of them share a hash.
    std::map<std::string_view, std::size_t> by_name_;
};

}  // namespace pep381d
