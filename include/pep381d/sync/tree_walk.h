// A walk over all that lies in the tree, for what nothing owns: strays. An entry at a time, in
// memory that does not grow with the tree. Links are never followed.
//
// An owner is looked for by the file's name; those few that are not found so are looked for in one
// pass over all files. What is about to be placed or removed, or belongs to a project that is
// queued, is no stray (design 2.4).
//
// Thread rule: the state's. Between its pieces tree and state may change.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pep381d/state/state.h"
#include "pep381d/sync/examination.h"
#include "pep381d/sync/finding.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class TreeWalk {
  public:
    TreeWalk(State& state, FileTree& tree, const Formats& formats);
    ~TreeWalk();

    // Goes on for about so many entries; how many it were.
    std::size_t go_on(std::size_t most);
    bool ended() const { return open_.empty() && to_visit_.empty() && suspects_.empty(); }
    std::vector<Finding> take() { return std::exchange(findings_, {}); }
    // Projects whose page is in the tree but not in the state: their links are to be checked.
    std::vector<ProjectName> take_waiting() { return std::exchange(waiting_, {}); }
    // A file comes to this place, below web/: it is no stray any more.
    void placed(const std::string& path) { suspects_.erase(path); }

  private:
    // What a directory is a part of.
    enum class Area { web, status, staging, simple, project, packages, nobodys };
    struct Directory {
        std::string path;
        Area area;
        std::unique_ptr<Listing> listing;
        bool empty = true;
        bool awaited = false;  // of a project: its pages are not recorded yet, or still there
        bool known = false;    // likewise: it is in the state
    };

    void enter(const std::string& path, Area area);
    void leave();
    void enter_project(Directory& directory);
    void see(Directory& in, const Entry& entry);
    void see_in_web(const Entry& entry);
    void see_in_simple(const Entry& entry);
    void see_in_project(const Directory& in, const Entry& entry);
    void see_in_packages(const Entry& entry, const std::string& path);
    bool may_lie_there(const std::string& below_web);
    void suspect(const std::string& below_web, FileKind kind);
    std::size_t clear_suspects(std::size_t most);
    void judge_suspects();
    void add(Flaw flaw, const std::string& path, std::string cause);
    void add_stray(const std::string& path, FileKind kind);

    State& state_;
    FileTree& tree_;
    const Formats formats_;
    std::vector<std::pair<std::string, Area>> to_visit_;
    std::vector<Directory> open_;  // each in the one before
    std::unordered_map<std::string, FileKind> suspects_;
    std::optional<HeldPlace> searched_;  // how far for the owners of suspects
    std::vector<Finding> findings_;
    std::vector<ProjectName> waiting_;
};

}  // namespace pep381d
