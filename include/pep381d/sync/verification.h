// The mirror against itself: pages against the state, the state against the tree, the tree against
// the state, the root index. It only reads, but for the progress that it notes in the state.
//
// A round goes over the tree and then over all projects, those first that were verified longest
// ago. It can be done in pieces of any size, between which the mirror may change: what is found is
// looked at once more before it is told. What a kill in the middle of a pass leaves (design 2.4) is
// no fault: pages that are newer than the state, files that are about to be placed or removed.
//
// Thread rule: the state's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/examination.h"
#include "pep381d/sync/finding.h"
#include "pep381d/sync/tree_walk.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class Verification {
  public:
    // `hash` false: sizes and links only.
    Verification(State& state, FileTree& tree, bool hash);
    ~Verification();

    // Goes on for about so many bytes of reading, other work counted in; false: the round is over.
    bool go_on(std::size_t most);
    // What was found since the last call.
    std::vector<Finding> take() { return std::exchange(findings_, {}); }
    // A file comes to this place, below web/.
    void placed(const std::string& path);

  private:
    enum class Step { outside, walk, root, projects, done };

    void check_outside();
    void walk(std::size_t& left);
    void check_root_twice();
    void projects(std::size_t& left);
    std::optional<Subject> next_subject();
    Subject subject_of(const ProjectName& name, std::int64_t id);
    void end_examination();

    State& state_;
    FileTree& tree_;
    Formats formats_;
    Scope scope_;
    Step step_ = Step::outside;
    std::unique_ptr<TreeWalk> walk_;
    std::vector<ProjectName> waiting_;  // with a page that the state does not know
    std::deque<Unverified> next_;
    Unverified last_;
    std::optional<Examination> examination_;
    bool again_ = false;  // it is the second look
    std::vector<Finding> findings_;
};

// All that is found in one round. Nothing is noted in the state.
std::vector<Finding> verify(State& state, FileTree& tree, bool hash);

// The formats that the tree is made with, as the state says.
Formats formats_of(State& state);

}  // namespace pep381d
