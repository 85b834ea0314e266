#include "pep381d/sync/adoption.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>

#include <fmt/format.h>

#include "pep381d/base/digest.h"
#include "pep381d/model/file_path.h"
#include "pep381d/tree/layout.h"
#include "pep381d/tree/staging.h"

#include "sync/must.h"

namespace pep381d {

namespace {

namespace fs = std::filesystem;

fs::path packages_of(const fs::path& from) {
    for (const fs::path& packages : {from / "web" / "packages", from / "packages"})
        if (fs::is_directory(packages)) return packages;
    throw Fatal(5,
                fmt::format("{}: it holds neither packages/ nor web/packages/; name the directory "
                            "of a mirror",
                            from.string()));
}

// packages/aa/bb/REST/NAME, the digest in hexadecimal: a path that today's pages give.
bool lies_under_digest(const std::string& path) {
    constexpr std::size_t first = 9, size = 2 + 1 + 2 + 1 + 60;
    if (path.size() < first + size + 2 || path[first + size] != '/') return false;
    std::string hex = path.substr(first, size);
    if (hex[2] != '/' || hex[5] != '/') return false;
    std::erase(hex, '/');
    return hex.size() == 64 && from_hex(hex) &&
           path.find('/', first + size + 1) == std::string::npos;
}

// Nothing where it cannot be read.
std::optional<std::string> sha256_of(DirectoryTree& tree, const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return std::nullopt;
    Hasher hasher(Algorithm::sha256);
    std::array<char, 128 * 1024> buffer;
    for (;;) {
        const auto got = tree.read(file, buffer.data(), buffer.size());
        if (!got) return std::nullopt;
        if (got.value() == 0) return hasher.finish();
        hasher.update({buffer.data(), got.value()});
    }
}

class Adoption {
  public:
    Adoption(DirectoryTree& tree, Log& log) : tree_(tree), staging_(tree), log_(log) {}

    void take(const fs::path& outside, const std::string& path) {
        if (!legal_file_path(path)) {
            ignore(outside, "no legal path");
            return;
        }
        const auto to = lies_under_digest(path) ? layout::published(path) : staged(outside);
        if (to.empty()) return;
        const auto taken = tree_.take_over(outside.string(), to);
        if (!taken && taken.failure().fault == Fault::refused)
            ignore(outside, taken.failure().what);
        else
            ++(must(taken) ? adopted_.taken : adopted_.there);
        constexpr std::int64_t now_and_then = 100'000;
        if (adopted_.taken % now_and_then == now_and_then - 1)
            log_.info(fmt::format("adopting files={}", adopted_.taken));
    }

    void ignore(const fs::path& outside, const std::string& cause) {
        ++adopted_.ignored;
        log_.warning(fmt::format("not_adopted file={} cause={}", pep381d::quoted(outside.string()),
                                 pep381d::quoted(cause)));
    }

    const Adopted& adopted() const { return adopted_; }

  private:
    // Its path at the master is another one: staging/ finds it by its digest. Empty: it is there.
    std::string staged(const fs::path& outside) {
        const auto digest = sha256_of(tree_, outside.string());
        if (!digest) {
            ignore(outside, std::strerror(errno));
            return {};
        }
        Expected expected;
        expected.digest = Digest{Algorithm::sha256, *digest};
        if (!staging_.take_whole(expected)) return staging_.unused_path(expected);
        ++adopted_.there;
        return {};
    }

    DirectoryTree& tree_;
    Staging staging_;
    Log& log_;
    Adopted adopted_;
};

}  // namespace

Adopted adopt_files(DirectoryTree& tree, const fs::path& from, Log& log) {
    try {
        const fs::path packages = packages_of(from);
        Adoption adoption(tree, log);
        // It follows no symbolic links.
        for (const auto& entry : fs::recursive_directory_iterator(packages)) {
            if (entry.is_directory() && !entry.is_symlink()) continue;
            if (entry.is_regular_file() && !entry.is_symlink())
                adoption.take(entry.path(),
                              "packages/" + entry.path().lexically_relative(packages).string());
            else
                adoption.ignore(entry.path(), "no regular file");
        }
        must(tree.flush());
        return adoption.adopted();
    } catch (const fs::filesystem_error& error) {
        throw Fatal(5, fmt::format("{}: {}; the mirror's user must be able to read it",
                                   error.path1().string(), error.code().message()));
    }
}

}  // namespace pep381d
