// Mends what verifying finds, in the order that keeps what is shown true: a page that names a file
// which is damaged is published without it first, then the file goes, and the project is queued, so
// that it is fetched again. The state is told of the damage before, and the next start takes up
// what a kill left undone. Pages and root index are made again from the state; strays go. A page of
// the master's own that is damaged, or names a damaged file, becomes one of ours until it is
// fetched again.
//
// Only below web/simple, web/packages, web/serversig and web/pypi is anything removed; what lies
// beside them may be an operator's.
//
// Thread rule: the committer's.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/finding.h"
#include "pep381d/sync/publisher.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class Repairs {
  public:
    // `is_busy`: somebody works on the project; `claim`: nobody else may until its page is
    // recorded.
    Repairs(State& state, FileTree& tree, Publisher& publisher, const Clock& clock,
            std::function<bool(const ProjectName&)> is_busy,
            std::function<void(const ProjectName&)> claim);

    // False: it is nothing that can be mended here.
    bool add(const Finding& finding);
    // Mends what can be mended now.
    void go_on();
    // What a kill has torn: the pages say again what the state says, without what is not there.
    // Before anybody works on a project, and before the master is heard: it may be away, or have
    // changed its mind.
    void take_up();
    // Projects that wait until somebody else is done with them.
    std::size_t waiting() const { return projects_.size(); }

  private:
    bool remove_stray(const Finding& finding);
    Done clear_away(const std::string& path, int levels);
    void make_way(const std::string& path);
    void remake_root(const Finding& finding);
    bool is_unread(const ProjectName& name);
    bool mend(const ProjectName& name, const std::vector<Finding>& findings);
    bool leave_out(const ProjectName& name, const std::vector<Finding>& findings, bool copied);
    void fetch_again(const ProjectName& name, std::vector<std::string> damaged);
    std::vector<std::string> look_at_doubts(const ProjectName& name);
    bool stands(const ProjectName& name);

    State& state_;
    FileTree& tree_;
    Publisher& publisher_;
    const Clock& clock_;
    std::function<bool(const ProjectName&)> is_busy_;
    std::function<void(const ProjectName&)> claim_;
    std::map<ProjectName, std::vector<Finding>> projects_;
    bool counted_ = false;  // as a change of the tree
};

}  // namespace pep381d
