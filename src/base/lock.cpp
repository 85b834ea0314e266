#include "pep381d/base/lock.h"

#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace pep381d {

bool lock(const Descriptor& file) {
    return flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

std::string lock_holder(const Descriptor& file) {
    struct stat about {};
    if (fstat(file.get(), &about) != 0) return {};
    const std::string inode = fmt::format(":{}", about.st_ino);
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line);
        std::string number, kind, mode, access, pid, where;
        words >> number >> kind >> mode >> access >> pid >> where;
        if (kind == "FLOCK" && where.ends_with(inode)) return " (process " + pid + ")";
    }
    return {};
}

}  // namespace pep381d
