// The mirror's directory, by the verbs that a mirror needs. An interface because tests need a disk
// that fills up or dies at the n-th call, and because an object store will be another one.
//
// Paths are relative to mirror.directory. Failures are of this machine (is_local), and name the
// path. Thread rule: in staging/ the loop's thread may create, append, write, finish, link and
// remove, and ask for the room; any thread may open, read, look and list; all else belongs to the
// committer's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "pep381d/base/descriptor.h"
#include "pep381d/base/outcome.h"
#include "pep381d/base/room.h"

namespace pep381d {

enum class FileKind { file, directory, link, other };

struct FileLook {
    std::int64_t size = 0;
    std::int64_t mtime = 0;  // seconds
    FileKind kind = FileKind::file;
    unsigned mode = 0644;     // permissions
    unsigned owner = 0;       // user
    std::uint64_t inode = 0;  // the same for hard links of one file; 0: unknown
};

struct Entry {
    std::string name;
    FileKind kind = FileKind::file;
};

// A directory that is being listed, an entry at a time: the root index of PyPI has 900,000. What
// comes and goes meanwhile may be listed or not.
class Listing {
  public:
    virtual ~Listing() = default;
    virtual Outcome<std::optional<Entry>> next() = 0;  // nothing at the end
    // A directory in it, without the way from the top.
    virtual Outcome<std::unique_ptr<Listing>> enter(const std::string& name) = 0;
};

class FileTree {
  public:
    virtual ~FileTree() = default;

    // A new file, an old one of that name emptied; its directory must be there.
    virtual Outcome<Descriptor> create(const std::string& path) = 0;
    // A file that is there, to be written on at its end.
    virtual Outcome<Descriptor> append(const std::string& path) = 0;
    virtual Done write(const Descriptor& file, std::string_view bytes) = 0;
    // Ends the writing and sets the modification time (seconds) where one is given. A large file
    // starts on its way to the disk. Nothing is durable before flush().
    virtual Done finish(Descriptor file, std::optional<std::int64_t> mtime, bool large) = 0;

    // The one above it must be there, and it must not.
    virtual Done make_directory(const std::string& path) = 0;
    // With the files in it. Where it is gone already, that is fine.
    virtual Done remove_directory(const std::string& path) = 0;

    virtual Outcome<Descriptor> open(const std::string& path) = 0;
    // The same, and what is read comes from the disk where it should be there: after a flush that
    // failed, memory may have what the disk never got.
    virtual Outcome<Descriptor> open_from_disk(const std::string& path) = 0;
    // Up to `most` bytes into `buffer`; fewer only at the end.
    virtual Outcome<std::size_t> read(const Descriptor& file, char* buffer, std::size_t most) = 0;
    // What lies there; nothing where nothing does. Links are not followed.
    virtual Outcome<std::optional<FileLook>> look(const std::string& path) = 0;
    // The same of an open file.
    virtual Outcome<std::optional<FileLook>> look(const Descriptor& file) = 0;
    virtual Outcome<std::unique_ptr<Listing>> list(const std::string& directory) = 0;

    // Puts `from` in the place of `to`, making directories as needed. An open reader keeps what it
    // has.
    virtual Done rename(const std::string& from, const std::string& to) = 0;
    // The same for a file or a directory, but nothing is replaced: false where something lies
    // there. Fault::refused where the path itself cannot be: a file where a directory is needed, or
    // the other way round.
    virtual Outcome<bool> place(const std::string& from, const std::string& to) = 0;
    virtual Done link(const std::string& from,
                      const std::string& to) = 0;  // `to` must not be there
    // Removes a file or an empty directory, and directories above it that become empty. Where it is
    // gone already, that is fine.
    virtual Done remove(const std::string& path) = 0;

    // All bytes and all renames and removals that were done when this was called survive a power
    // cut once it returns. May be called on any thread, beside the others.
    virtual Done flush() = 0;

    virtual Outcome<Room> room() = 0;
};

// A small file in staging/, from one string; `mtime` in seconds.
Done write_file(FileTree& tree, const std::string& path, std::string_view bytes,
                std::optional<std::int64_t> mtime = std::nullopt);

}  // namespace pep381d
