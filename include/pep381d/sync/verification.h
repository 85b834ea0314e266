// The mirror against itself: pages against the state, the state against the tree, the tree against
// the state, the root index. It only reads.
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
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/examination.h"
#include "pep381d/sync/examiners.h"
#include "pep381d/sync/finding.h"
#include "pep381d/sync/tree_walk.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

struct VerifyOptions {
    bool hash = true;  // false: sizes and links only
    int threads = 0;   // that examine projects; 0: the caller's
    // Passed by: projects verified since then (with `hash`), or up to this one, by number. And the
    // walk over the tree.
    Time since{std::chrono::milliseconds(std::numeric_limits<std::int64_t>::max())};
    std::int64_t behind = 0;
    bool walked = false;
    // Projects are examined by the threads while the caller's walks over the tree.
    bool side_by_side = false;
};

class Verification {
  public:
    Verification(State& state, FileTree& tree, VerifyOptions options);
    ~Verification();

    // Goes on for about so many bytes of reading, other work counted in, or until it has waited for
    // the threads once; false: the round is over.
    bool go_on(std::size_t most);
    // What was found since the last call.
    std::vector<Finding> take() { return std::exchange(findings_, {}); }

    // The walk is done, and has found no fault, nor has a look at the projects that only it knows;
    // likewise all projects up to this number.
    bool walked_clean() const;
    std::int64_t clean_up_to() const { return clean_up_to_; }
    // The projects in which no fault was found since the last call, by number. With `hash`.
    std::vector<std::int64_t> take_verified() { return std::exchange(verified_, {}); }
    std::int64_t projects_done() const { return projects_done_; }
    std::int64_t bytes() const { return bytes_; }  // hashed

  private:
    enum class Step { outside, walk, root, projects, done };
    // A project that is being looked at, in parts.
    struct Look {
        std::int64_t id = 0;
        std::size_t parts = 0;  // still to end
        bool faulty = false;
    };

    void check_outside();
    void check_server_keys();
    void walk(std::size_t& left);
    void take_in(Examiners::Work work);
    void check_root_twice();
    void projects(std::size_t& left);
    void start_some();
    bool start_next();
    void start(const std::shared_ptr<const Subject>& subject, Scope scope);
    std::optional<Subject> next_subject();
    Subject subject_of(const ProjectName& name, std::int64_t id);
    void ended(Examination& examination);
    void note(std::int64_t id);
    void add(Finding finding);

    State& state_;
    FileTree& tree_;
    const VerifyOptions options_;
    Formats formats_;
    Scope scope_;
    Step step_ = Step::outside;
    std::unique_ptr<TreeWalk> walk_;
    bool walked_clean_ = false, faulty_ = false;
    std::int64_t clean_up_to_ = 0;
    std::vector<ProjectName> waiting_;  // with a page that the state does not know
    std::deque<Unverified> next_;
    Unverified last_;
    std::deque<std::unique_ptr<Examination>> here_;  // on the caller's thread
    std::unique_ptr<Examiners> examiners_;           // on others
    std::unordered_map<const Subject*, Look> looks_;
    std::vector<std::int64_t> verified_;
    std::int64_t projects_done_ = 0, bytes_ = 0;
    std::vector<Finding> findings_;
};

// All that is found in one round.
std::vector<Finding> verify(State& state, FileTree& tree, bool hash);

// The formats that the tree is made with, as the state says.
Formats formats_of(State& state);

}  // namespace pep381d
