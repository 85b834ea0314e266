#include "pep381d/serve/served_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pep381d {

namespace {

// Not blocking: a FIFO that somebody left in the tree must not stop the server.
constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;

int open_beneath(int root, const std::string& path) {
    open_how how{};
    how.flags = flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    // Seccomp profiles older than the call answer EPERM.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_by_components(root, path);
    return static_cast<int>(fd);
}

OpenFault fault_of(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ELOOP:
        case EXDEV:
        case ENAMETOOLONG:
        case ENXIO:
            return OpenFault::absent;
        default:
            return OpenFault::local;
    }
}

std::optional<Serial> number_behind(std::string_view text, std::string_view mark) {
    const std::size_t at = text.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + mark.size());
    Serial serial;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), serial.value);
    // A number that reaches the end of what was read may go on behind it.
    if (error != std::errc() || end == text.data() + text.size()) return std::nullopt;
    return serial;
}

}  // namespace

int open_by_components(int root, const std::string& path) {
    Descriptor directory;
    std::size_t start = 0;
    while (true) {
        const std::size_t end = path.find('/', start);
        const std::string component = path.substr(start, end - start);
        if (component.empty() || component == "." || component == "..") {
            errno = ENOENT;
            return -1;
        }
        const int above = directory ? directory.get() : root;
        if (end == std::string::npos) return ::openat(above, component.c_str(), flags);
        directory = Descriptor(
            ::openat(above, component.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) return -1;
        start = end + 1;
    }
}

OpenFault open_served(int root, const std::string& path, ServedFile& file) {
    Descriptor descriptor(open_beneath(root, path));
    if (!descriptor) return fault_of(errno);
    struct stat status {};
    if (::fstat(descriptor.get(), &status) != 0) return OpenFault::local;
    if (!S_ISREG(status.st_mode)) return OpenFault::absent;
    file.descriptor = std::move(descriptor);
    file.size = static_cast<std::uint64_t>(status.st_size);
    file.modified = status.st_mtim;
    file.inode = status.st_ino;
    return OpenFault::none;
}

std::optional<Serial> serial_in(const ServedFile& file) {
    std::array<char, 64> bytes{};
    const auto read = [&](std::uint64_t offset) {
        const ssize_t n =
            ::pread(file.descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        return std::string_view(bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    };
    constexpr std::string_view json_start = R"({"meta":{"_last-serial":)";
    const std::string_view start = read(0);
    if (start.substr(0, json_start.size()) == json_start) return number_behind(start, json_start);
    return number_behind(read(file.size - std::min<std::uint64_t>(file.size, bytes.size())),
                         "<!--SERIAL ");
}

std::string entity_tag(const ServedFile& file, std::optional<Serial> serial,
                       std::string_view variant) {
    return fmt::format("\"{:x}-{:x}.{:x}-{:x}-{:x}{}\"", file.inode, file.modified.tv_sec,
                       file.modified.tv_nsec, file.size, serial.value_or(Serial{}).value, variant);
}

}  // namespace pep381d
