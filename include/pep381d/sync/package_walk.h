// A walk over one directory of web/packages and all that is in it, for what the state has to be
// asked about: what lies at no held place. Links are never followed.
//
// Thread rule: any one thread at a time; many may run beside one another.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pep381d/sync/held_places.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class PackageWalk {
  public:
    enum class What { not_held, empty_directory, unreadable, too_deep };
    struct Seen {
        What what;
        std::string path;  // relative to mirror.directory
        FileKind kind = FileKind::directory;
        std::string cause;  // why it is unreadable
    };

    PackageWalk(FileTree& tree, std::shared_ptr<const HeldPlaces> held, const std::string& path);

    // Goes on for about so many entries; how many it were.
    std::size_t go_on(std::size_t most);
    bool ended() const { return open_.empty(); }
    // It has seen so much that this has to be taken first.
    bool waits() const { return seen_.size() >= seen_most; }
    std::vector<Seen> take() { return std::exchange(seen_, {}); }

  private:
    static constexpr std::size_t seen_most = 500;
    struct Directory {
        std::string path;
        std::unique_ptr<Listing> listing;
        bool empty = true;
    };

    void enter(std::string path, Outcome<std::unique_ptr<Listing>> listing);
    void leave();
    void cannot_read(std::string path, std::string cause);

    FileTree& tree_;
    const std::shared_ptr<const HeldPlaces> held_;
    std::vector<Directory> open_;  // each in the one before
    std::vector<Seen> seen_;
};

}  // namespace pep381d
