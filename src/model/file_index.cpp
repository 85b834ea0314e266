#include "pep381d/model/file_index.h"

namespace pep381d {

std::optional<std::size_t> FileIndex::find(std::string_view name) {
    if (next_ < files_.size() && files_[next_].name.text() == name) return next_++;
    if (by_name_.empty())
        for (std::size_t i = 0; i < files_.size(); ++i) by_name_.emplace(files_[i].name.text(), i);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    next_ = found->second + 1;
    return found->second;
}

}  // namespace pep381d
