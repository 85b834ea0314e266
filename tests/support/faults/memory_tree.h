// The FileTree on a Volume, at the mercy of a Fate. Descriptors are real ones, of /dev/null: their
// numbers stand for the files that are open.
#pragma once

#include <map>
#include <mutex>

#include "pep381d/tree/file_tree.h"

#include "support/faults/fate.h"
#include "support/faults/volume.h"

namespace faults {

class MemoryTree final : public pep381d::FileTree {
  public:
    MemoryTree(Volume& volume, Fate& fate) : volume_(volume), fate_(fate) {}

    pep381d::Outcome<pep381d::Descriptor> create(const std::string& path) override;
    pep381d::Outcome<pep381d::Descriptor> append(const std::string& path) override;
    pep381d::Done write(const pep381d::Descriptor& file, std::string_view bytes) override;
    pep381d::Done finish(pep381d::Descriptor file, std::optional<std::int64_t> mtime,
                         bool large) override;
    pep381d::Done make_directory(const std::string& path) override;
    pep381d::Done remove_directory(const std::string& path) override;
    pep381d::Outcome<pep381d::Descriptor> open(const std::string& path) override;
    pep381d::Outcome<pep381d::Descriptor> open_from_disk(const std::string& path) override;
    pep381d::Outcome<std::size_t> read(const pep381d::Descriptor& file, char* buffer,
                                       std::size_t most) override;
    pep381d::Outcome<std::optional<pep381d::FileLook>> look(const std::string& path) override;
    pep381d::Outcome<std::optional<pep381d::FileLook>> look(
        const pep381d::Descriptor& file) override;
    pep381d::Outcome<std::unique_ptr<pep381d::Listing>> list(const std::string& directory) override;
    pep381d::Done rename(const std::string& from, const std::string& to) override;
    pep381d::Outcome<bool> place(const std::string& from, const std::string& to) override;
    pep381d::Done link(const std::string& from, const std::string& to) override;
    pep381d::Done remove(const std::string& path) override;
    pep381d::Done flush() override;
    pep381d::Outcome<pep381d::Room> room() override;

  private:
    struct Open {
        Volume::Node file;
        std::size_t at;
    };
    pep381d::Descriptor handle(Volume::Node file, std::size_t at);
    std::vector<std::string> names_in(const std::string& directory) const;
    pep381d::Done room_for(const std::string& path) const;

    Volume& volume_;
    Fate& fate_;
    std::mutex mutex_;  // the loop and the committer both use the tree
    std::map<int, Open> open_;
};

}  // namespace faults
