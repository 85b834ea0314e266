// The FileTree on a local file system, and the lock that keeps a second daemon away from it.
#pragma once

#include <bitset>
#include <string>

#include "pep381d/base/descriptor.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class DirectoryTree final : public FileTree {
  public:
    // Makes web/ and staging/ below `directory`, which must exist, and locks it for the life of
    // this object. Throws Fatal(5) where it is missing, not writable, or held by another process,
    // whose number it then names. To read only: nothing is made, and others may work beside it.
    enum class Access { write, read };
    explicit DirectoryTree(std::string directory, Access access = Access::write);
    // Somebody works on it.
    static bool is_held(const std::string& directory);

    Outcome<Descriptor> create(const std::string& path) override;
    Outcome<Descriptor> append(const std::string& path) override;
    Done write(const Descriptor& file, std::string_view bytes) override;
    Done finish(Descriptor file, std::optional<std::int64_t> mtime, bool large) override;
    Done make_directory(const std::string& path) override;
    Done remove_directory(const std::string& path) override;
    Outcome<Descriptor> open(const std::string& path) override;
    Outcome<Descriptor> open_from_disk(const std::string& path) override;
    Outcome<std::size_t> read(const Descriptor& file, char* buffer, std::size_t most) override;
    Outcome<std::optional<FileLook>> look(const std::string& path) override;
    Outcome<std::optional<FileLook>> look(const Descriptor& file) override;
    Outcome<std::unique_ptr<Listing>> list(const std::string& directory) override;
    Done rename(const std::string& from, const std::string& to) override;
    Outcome<bool> place(const std::string& from, const std::string& to) override;
    Done link(const std::string& from, const std::string& to) override;
    Done remove(const std::string& path) override;
    Done flush() override;
    Outcome<Room> room() override;

    // A file from outside gets this place too: by a hard link, or as a copy where that cannot be.
    // False where something lies there already; Fault::refused where it cannot be read.
    Outcome<bool> take_over(const std::string& outside, const std::string& to);

  private:
    Failure failed(const std::string& path, const char* verb) const;
    Failure not_placed(const std::string& to);
    std::string path_of(const Descriptor& file) const;
    Outcome<bool> copy(const Descriptor& file, std::int64_t mtime, const std::string& to);
    Done make_room(const std::string& to);
    bool leads_out(const std::string& directory) const;
    bool make_directories(const std::string& directory);

    std::string directory_;
    Descriptor root_;
    std::string made_last_;  // the directory that rename() made or used last: most files follow one
                             // another into it
    std::bitset<131072> known_;  // by hash: directories that are probably there
};

}  // namespace pep381d
