#include "pep381d/tree/directory_tree.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pep381d/base/lock.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

std::string parent_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

FileKind kind_of(mode_t mode) {
    if (S_ISREG(mode)) return FileKind::file;
    if (S_ISDIR(mode)) return FileKind::directory;
    return S_ISLNK(mode) ? FileKind::link : FileKind::other;
}

FileLook look_of(const struct stat& about) {
    return {about.st_size,          about.st_mtim.tv_sec, kind_of(about.st_mode),
            about.st_mode & 07777U, about.st_uid,         about.st_ino};
}

// By getdents64 and not by readdir: to open a DIR takes three more system calls, and a mirror has
// more directories than files.
class DirectoryListing final : public Listing {
  public:
    using Failed = std::function<Failure(const std::string& path)>;

    // `path`: from the tree's root; `from_above`: from the directory `above`.
    static Outcome<std::unique_ptr<Listing>> open(int above, const std::string& from_above,
                                                  std::string path, const Failed& failed) {
        Descriptor directory(
            openat(above, from_above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
        if (!directory) return failed(path);
        return std::unique_ptr<Listing>(
            new DirectoryListing(std::move(directory), std::move(path), failed));
    }

    Outcome<std::optional<Entry>> next() override {
        for (;;) {
            if (at_ == end_) {
                const ssize_t got = getdents64(directory_.get(), buffer_.data(), buffer_.size());
                if (got < 0) return failed_(path_);
                if (got == 0) return std::optional<Entry>{};
                at_ = 0;
                end_ = static_cast<std::size_t>(got);
            }
            const auto* entry = reinterpret_cast<const dirent64*>(buffer_.data() + at_);
            at_ += entry->d_reclen;
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            return std::optional(Entry{std::string(name), kind(*entry)});
        }
    }

    Outcome<std::unique_ptr<Listing>> enter(const std::string& name) override {
        return open(directory_.get(), name, path_ + "/" + name, failed_);
    }

  private:
    DirectoryListing(Descriptor directory, std::string path, Failed failed)
        : directory_(std::move(directory)), path_(std::move(path)), failed_(std::move(failed)) {}

    FileKind kind(const dirent64& entry) const {
        if (entry.d_type != DT_UNKNOWN) return kind_of(static_cast<mode_t>(DTTOIF(entry.d_type)));
        struct stat about {};
        // What has gone meanwhile may be taken for anything.
        if (fstatat(directory_.get(), entry.d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            return FileKind::file;
        return kind_of(about.st_mode);
    }

    Descriptor directory_;
    std::string path_;
    Failed failed_;
    alignas(dirent64) std::array<char, 4096> buffer_;
    std::size_t at_ = 0, end_ = 0;
};

}  // namespace

DirectoryTree::DirectoryTree(std::string directory, Access access)
    : directory_(std::move(directory)) {
    root_ = Descriptor(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_)
        throw Fatal(
            5, fmt::format("mirror.directory {}: {}; make it, owned by the user that runs pep381d",
                           directory_, std::strerror(errno)));
    if (access == Access::read) return;
    if (!lock(root_))
        throw Fatal(
            5, fmt::format("mirror.directory {}: another pep381d{} works on it; stop that first",
                           directory_, lock_holder(root_)));
    for (const std::string& name : {layout::web, layout::staging})
        if (mkdirat(root_.get(), name.c_str(), 0755) != 0 && errno != EEXIST)
            give_up(failed(name, "make the directory"));
    struct stat about {};
    for (const std::string& name : {layout::web, layout::staging})
        if (fstatat(root_.get(), name.c_str(), &about, 0) == 0 && !S_ISDIR(about.st_mode))
            throw Fatal(5,
                        fmt::format("{}/{}: it is no directory; move it away", directory_, name));
    for (const std::string& name : {layout::web, layout::staging})
        if (faccessat(root_.get(), name.c_str(), R_OK | W_OK | X_OK, 0) != 0)
            throw Fatal(5, fmt::format("{}/{}: {}; the mirror's user must be able to write there",
                                       directory_, name, std::strerror(errno)));
}

bool DirectoryTree::is_held(const std::string& directory) {
    const Descriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return root && flock(root.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Failure DirectoryTree::failed(const std::string& path, const char* verb) const {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    // Only another file's path can make a directory of what is none, or the other way round.
    const bool clash = errno == ENOTDIR || errno == EISDIR || errno == ENOTEMPTY;
    const bool files_used_up = errno == EMFILE || errno == ENFILE;
    const char* remedy = full    ? "; free some space"
                         : clash ? "; remove what lies there"
                         : errno == EROFS || errno == EACCES || errno == EPERM
                             ? "; the mirror's user must be able to write there"
                         : files_used_up ? "; the limit of open files (ulimit -n) is too low"
                                         : "";
    return Failure{
        clash                              ? Fault::refused
        : full                             ? Fault::full
        : files_used_up || errno == ENOMEM ? Fault::exhausted
                                           : Fault::local,
        fmt::format("{}: cannot {}: {}{}", path.starts_with('/') ? path : directory_ + "/" + path,
                    verb, std::strerror(errno), remedy)};
}

// As the system knows it, from its root: for messages.
std::string DirectoryTree::path_of(const Descriptor& file) const {
    const int cause = errno;
    std::array<char, PATH_MAX> path;
    const std::string known = fmt::format("/proc/self/fd/{}", file.get());
    const auto size = readlink(known.c_str(), path.data(), path.size());
    errno = cause;
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : known;
}

Outcome<Descriptor> DirectoryTree::create(const std::string& path) {
    Descriptor file(openat(root_.get(), path.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) return failed(path, "create");
    return file;
}

Outcome<Descriptor> DirectoryTree::append(const std::string& path) {
    Descriptor file(
        openat(root_.get(), path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return failed(path, "go on with");
    return file;
}

Done DirectoryTree::write(const Descriptor& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed(layout::staging, "write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return Nothing{};
}

Done DirectoryTree::finish(Descriptor file, std::optional<std::int64_t> mtime, bool large) {
    if (mtime) {
        const timespec times[2] = {{0, UTIME_OMIT}, {*mtime, 0}};
        if (futimens(file.get(), times) != 0) return failed(layout::staging, "set a time");
    }
    if (large) sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    if (::close(file.release()) != 0) return failed(layout::staging, "close");
    return Nothing{};
}

Done DirectoryTree::make_directory(const std::string& path) {
    if (mkdirat(root_.get(), path.c_str(), 0755) != 0) return failed(path, "make the directory");
    return Nothing{};
}

Done DirectoryTree::remove_directory(const std::string& path) {
    if (unlinkat(root_.get(), path.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return Nothing{};
    if (errno != ENOTEMPTY && errno != EEXIST) return failed(path, "remove the directory");
    const auto listing = list(path);
    if (!listing) return listing.failure();
    for (;;) {
        const auto entry = listing.value()->next();
        if (!entry) return entry.failure();
        if (!entry.value()) break;
        const std::string file = fmt::format("{}/{}", path, entry.value()->name);
        if (unlinkat(root_.get(), file.c_str(), 0) != 0) return failed(file, "remove");
    }
    if (unlinkat(root_.get(), path.c_str(), AT_REMOVEDIR) != 0)
        return failed(path, "remove the directory");
    return Nothing{};
}

Outcome<Descriptor> DirectoryTree::open(const std::string& path) {
    Descriptor file(
        openat(root_.get(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) return failed(path, "open");
    return file;
}

Outcome<Descriptor> DirectoryTree::open_from_disk(const std::string& path) {
    auto file = open(path);
    // What is still to be written stays in memory, and will be.
    if (file) (void)posix_fadvise(file.value().get(), 0, 0, POSIX_FADV_DONTNEED);
    return file;
}

Outcome<std::size_t> DirectoryTree::read(const Descriptor& file, char* buffer, std::size_t most) {
    std::size_t size = 0;
    while (size < most) {
        const ssize_t got = ::read(file.get(), buffer + size, most - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(path_of(file), "read");
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    return size;
}

Outcome<std::optional<FileLook>> DirectoryTree::look(const std::string& path) {
    struct stat about {};
    if (fstatat(root_.get(), path.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0)
        return std::optional(look_of(about));
    // ELOOP: on the way lies a link that leads nowhere.
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::optional<FileLook>{};
    return failed(path, "look at");
}

Outcome<std::optional<FileLook>> DirectoryTree::look(const Descriptor& file) {
    struct stat about {};
    if (fstat(file.get(), &about) != 0) return failed(path_of(file), "look at");
    return std::optional(look_of(about));
}

Outcome<std::unique_ptr<Listing>> DirectoryTree::list(const std::string& directory) {
    return DirectoryListing::open(root_.get(), directory, directory,
                                  [this](const std::string& path) { return failed(path, "list"); });
}

bool DirectoryTree::make_directories(const std::string& directory) {
    if (mkdirat(root_.get(), directory.c_str(), 0755) == 0 || errno == EEXIST) return true;
    if (errno != ENOENT || directory.find('/') == std::string::npos) return false;
    if (!make_directories(parent_of(directory))) return false;
    return mkdirat(root_.get(), directory.c_str(), 0755) == 0 || errno == EEXIST;
}

// By a symbolic link on the way, somebody else's: what lies behind it is not ours to replace or to
// remove. web/ itself may be one.
bool DirectoryTree::leads_out(const std::string& directory) const {
    struct stat about {};
    for (auto end = directory.find('/'); end != std::string::npos;) {
        end = directory.find('/', end + 1);
        const std::string above = directory.substr(0, end);
        if (fstatat(root_.get(), above.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return false;
        if (S_ISLNK(about.st_mode)) return true;
    }
    return false;
}

Done DirectoryTree::make_room(const std::string& to) {
    std::string directory = parent_of(to);
    if (directory == made_last_) return Nothing{};
    if (leads_out(directory))
        return Failure{Fault::refused,
                       fmt::format("{}/{}: a symbolic link lies where a directory belongs; remove "
                                   "it, or mount there what it leads to",
                                   directory_, directory)};
    // Nearly every file has a directory of its own, and in a young tree the one above is new as
    // well: to make that first costs less than to learn that it is missing.
    const std::string above = parent_of(directory);
    auto known = known_[std::hash<std::string>()(above) % known_.size()];
    if (!known) (void)make_directories(above);
    known = true;
    if (!make_directories(directory)) return failed(directory, "make the directory");
    made_last_ = std::move(directory);
    return Nothing{};
}

Done DirectoryTree::rename(const std::string& from, const std::string& to) {
    if (Done room = make_room(to); !room) return room;
    if (renameat(root_.get(), from.c_str(), root_.get(), to.c_str()) != 0) return not_placed(to);
    return Nothing{};
}

// What took the directory's place, a file, may be gone when it is tried again.
Failure DirectoryTree::not_placed(const std::string& to) {
    made_last_.clear();
    return failed(to, "put in place");
}

Outcome<bool> DirectoryTree::place(const std::string& from, const std::string& to) {
    if (Done room = make_room(to); !room) return std::move(room).failure();
    if (renameat2(root_.get(), from.c_str(), root_.get(), to.c_str(), RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST) return false;
    if (errno != EINVAL) return not_placed(to);
    // A file system without that (NFS, older ZFS): nobody else puts anything there meanwhile.
    const auto there = look(to);
    if (!there) return there.failure();
    if (there.value()) return false;
    if (Done placed = rename(from, to); !placed) return std::move(placed).failure();
    return true;
}

Done DirectoryTree::link(const std::string& from, const std::string& to) {
    if (linkat(root_.get(), from.c_str(), root_.get(), to.c_str(), 0) != 0)
        return failed(to, "link");
    return Nothing{};
}

Outcome<bool> DirectoryTree::take_over(const std::string& outside, const std::string& to) {
    if (Done room = make_room(to); !room) return std::move(room).failure();
    const Descriptor file(::open(outside.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat about {};
    if (!file || fstat(file.get(), &about) != 0)
        return Failure{Fault::refused, fmt::format("{}: {}", outside, std::strerror(errno))};
    // What others may not read would stay so in our tree, and it is not ours to change it there.
    const bool readable = (about.st_mode & 0444) == 0444;
    if (readable && linkat(AT_FDCWD, outside.c_str(), root_.get(), to.c_str(), 0) == 0) return true;
    if (readable && errno == EEXIST) return false;
    if (auto there = look(to); !there || there.value()) {
        if (!there) return std::move(there).failure();
        return false;
    }
    return copy(file, about.st_mtim.tv_sec, to);
}

Outcome<bool> DirectoryTree::copy(const Descriptor& file, std::int64_t mtime,
                                  const std::string& to) {
    const std::string staged = layout::staged("copy");
    auto copy = create(staged);
    if (!copy) return std::move(copy).failure();
    std::array<char, 128 * 1024> buffer;
    for (;;) {
        const auto got = read(file, buffer.data(), buffer.size());
        if (!got) return got.failure();
        if (got.value() == 0) break;
        if (Done written = write(copy.value(), {buffer.data(), got.value()}); !written)
            return std::move(written).failure();
    }
    if (Done ended = finish(std::move(copy).value(), mtime, true); !ended)
        return std::move(ended).failure();
    return place(staged, to);
}

Done DirectoryTree::remove(const std::string& path) {
    const auto gone = [] { return errno == ENOENT || errno == ENOTDIR; };
    if (leads_out(parent_of(path))) return Nothing{};
    if (unlinkat(root_.get(), path.c_str(), 0) != 0 && !gone()) {
        if (errno != EISDIR) return failed(path, "remove");
        if (unlinkat(root_.get(), path.c_str(), AT_REMOVEDIR) != 0 && !gone())
            return failed(path, "remove");
    }
    // Only the committer removes what is published, and only it makes directories.
    if (path.starts_with(layout::web)) made_last_.clear();
    // Up to web/simple and web/packages, which stay; the first directory that is not empty ends it.
    for (std::string above = parent_of(path); above.find('/') != above.rfind('/');
         above = parent_of(above)) {
        // Gone already, where an earlier removal got so far before it was cut off.
        if (unlinkat(root_.get(), above.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) break;
        return failed(above, "remove the directory");
    }
    return Nothing{};
}

Outcome<Room> DirectoryTree::room() {
    return room_at(directory_);
}

Done DirectoryTree::flush() {
    if (syncfs(root_.get()) != 0) return failed("", "flush the file system");
    return Nothing{};
}

}  // namespace pep381d
