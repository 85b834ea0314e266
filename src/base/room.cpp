#include "pep381d/base/room.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <sys/statvfs.h>

#include <fmt/format.h>

#include "pep381d/base/units.h"

namespace pep381d {

namespace {

std::int64_t least(const Reserve& reserve, std::int64_t total, bool was_short) {
    const double wanted = reserve.percent > 0 ? static_cast<double>(total) * reserve.percent / 100
                                              : static_cast<double>(reserve.amount);
    return std::llround(std::ceil(was_short ? wanted * 1.1 : wanted));
}

}  // namespace

Outcome<Room> room_at(const std::string& directory) {
    struct statvfs about {};
    if (statvfs(directory.c_str(), &about) != 0)
        return Failure{Fault::local, fmt::format("{}: cannot ask for its free space: {}", directory,
                                                 std::strerror(errno))};
    const auto bytes = [&](auto blocks) {
        return static_cast<std::int64_t>(blocks * about.f_frsize);
    };
    return Room{bytes(about.f_bavail), bytes(about.f_blocks),
                static_cast<std::int64_t>(about.f_favail),
                static_cast<std::int64_t>(about.f_files)};
}

std::optional<std::string> shortage(const Room& room, const Reserves& reserves, bool was_short) {
    const auto bytes = least(reserves.bytes, room.bytes_total, was_short);
    if (room.bytes < bytes)
        return fmt::format("only {} are free, less than mirror.min-free ({})",
                           display_size(room.bytes), display_size(bytes));
    const auto inodes = least(reserves.inodes, room.inodes_total, was_short);
    if (room.inodes_total > 0 && room.inodes < inodes)
        return fmt::format("only {} inodes are free, less than mirror.min-free-inodes ({})",
                           room.inodes, inodes);
    return std::nullopt;
}

}  // namespace pep381d
