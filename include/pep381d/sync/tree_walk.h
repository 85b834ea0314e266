// A walk over all that lies in the tree, for what nothing owns: strays. An entry at a time, in
// memory that does not grow with the tree. Links are never followed.
//
// The directories of web/packages are walks of their own, which others may do beside this one. They
// know the held places, which are read in one go; of what lies elsewhere the state is asked, in
// case it came meanwhile. What is about to be placed or removed, or belongs to a project that is
// queued, is no stray (design 2.4). Nor is anything before the first pass of this state is
// complete: it may be the mirror's own, of a state that was lost, or another mirror's that was
// adopted.
//
// Thread rule: the state's. Between its pieces tree and state may change.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pep381d/state/state.h"
#include "pep381d/sync/examination.h"
#include "pep381d/sync/finding.h"
#include "pep381d/sync/held_places.h"
#include "pep381d/sync/package_walk.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class TreeWalk {
  public:
    // `hands_out`: the walks over packages are done by the caller, else here. `places_most`: held
    // places in memory at a time, of 8 bytes each.
    TreeWalk(State& state, FileTree& tree, Formats formats, bool hands_out,
             std::size_t places_most = 4'000'000);
    ~TreeWalk();

    // Goes on for about so many entries; how many it were: none where it waits for what it has
    // handed out.
    std::size_t go_on(std::size_t most);
    bool ended() const;
    // What is to be done by the caller, and comes back once it has ended or waits.
    std::vector<std::unique_ptr<PackageWalk>> take_walks();
    void take_back(std::unique_ptr<PackageWalk> walk);
    std::vector<Finding> take() { return std::exchange(findings_, {}); }
    // Projects whose page is in the tree but not in the state: their links are to be checked.
    std::vector<ProjectName> take_waiting() { return std::exchange(waiting_, {}); }

  private:
    // What a directory is a part of.
    enum class Area { web, status, staging, simple, project, packages, signatures, nobodys };
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
    void cannot_read(const std::string& path, const std::string& cause);
    void enter_project(Directory& directory);
    void see(Directory& in, const Entry& entry);
    void see_in_web(const Entry& entry);
    void see_in_simple(const Entry& entry);
    void see_in_signatures(const Entry& entry);
    void see_in_project(const Directory& in, const Entry& entry);
    void enter_packages();
    std::size_t gather(std::size_t most);
    void see_in_packages(const Entry& entry, const std::string& path);
    void judge(const PackageWalk::Seen& seen);
    void judge_not_held(const PackageWalk::Seen& seen);
    void judge_empty(const std::string& path);
    bool may_lie_there(const std::string& below_web);
    void add(Flaw flaw, const std::string& path, std::string cause);
    void add_stray(const std::string& path, FileKind kind);

    State& state_;
    FileTree& tree_;
    const Formats formats_;
    const bool names_strays_;
    std::vector<std::pair<std::string, Area>> to_visit_;
    std::vector<Directory> open_;  // each in the one before

    // Of web/packages: the part whose places are being gathered, or walked.
    const bool hands_out_;
    const std::size_t places_most_;
    std::size_t part_ = 0, parts_ = 0;
    std::shared_ptr<HeldPlaces> held_;
    std::optional<HeldPlace> gathered_;               // how far, while they are
    std::deque<std::unique_ptr<PackageWalk>> walks_;  // to be done
    std::size_t handed_out_ = 0;
    std::deque<PackageWalk::Seen> seen_;  // to be judged

    std::vector<Finding> findings_;
    std::vector<ProjectName> waiting_;
};

}  // namespace pep381d
