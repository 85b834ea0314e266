#include "pep381d/tree/file_tree.h"

#include <utility>

namespace pep381d {

Done write_file(FileTree& tree, const std::string& path, std::string_view bytes,
                std::optional<std::int64_t> mtime) {
    auto file = tree.create(path);
    if (!file) return std::move(file).failure();
    if (Done written = tree.write(file.value(), bytes); !written) return written;
    return tree.finish(std::move(file).value(), mtime, false);
}

}  // namespace pep381d
