// A file of the published tree, opened for reading. Whatever the path says, it lies in the tree: no
// symbolic link is followed, and only a regular file is opened.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/descriptor.h"
#include "pep381d/model/serial.h"

namespace pep381d {

struct ServedFile {
    Descriptor descriptor;
    std::uint64_t size = 0;  // bytes
    timespec modified{};
    std::uint64_t inode = 0;
};

enum class OpenFault { none, absent, local };

// `path` is relative to the directory `root`. Absent is also what is no regular file, or behind a
// symbolic link; local (errno tells) what this machine refuses: permissions, no descriptors left.
OpenFault open_served(int root, const std::string& path, ServedFile& file);

// How open_served gets at the descriptor where the kernel has no openat2 (before 5.6) or a
// container forbids it: one component after the other. -1 and errno like open().
int open_by_components(int root, const std::string& path);

// The serial that the file of a page carries: `{"meta":{"_last-serial":N` at the start, or
// `<!--SERIAL N-->` at the end.
std::optional<Serial> serial_in(const ServedFile& file);

// A strong entity tag with its quotes. A page is replaced by a rename, so that its inode, time (in
// ns) or serial changes with its bytes, even between rewrites in one tick of the file system's
// clock. `variant` tells types of one file apart.
std::string entity_tag(const ServedFile& file, std::optional<Serial> serial,
                       std::string_view variant);

}  // namespace pep381d
