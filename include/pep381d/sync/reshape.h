// A mirror that was made with another configuration is brought to this one.
//
// Thread rule: the committer's thread, or before it starts.
#pragma once

#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/policy.h"
#include "pep381d/sync/publisher.h"

namespace pep381d {

class Reshape {
  public:
    Reshape(State& state, FileTree& tree, Publisher& publisher, const Policy& policy,
            const Clock& clock)
        : state_(state), tree_(tree), publisher_(publisher), policy_(policy), clock_(clock) {}

    // Puts into the queue what the change asks the master for, and notes the configuration as the
    // one that the tree is made with. The published projects that filter.block now names.
    std::vector<ProjectName> begin();
    // Pages have to be made again in other formats still.
    bool running() const { return running_; }
    // Pages are made again from what the state holds, some a turn, by name; a crash goes on where
    // it was.
    void go_on();

  private:
    std::string formats() const;
    bool changed(Note note, const std::string& now);
    bool is_unknown(const ProjectName& project);
    void note(Note name, const std::string& value);
    std::vector<ProjectName> queue_what_changed();
    void forget_master();
    void begin_formats();

    State& state_;
    FileTree& tree_;
    Publisher& publisher_;
    const Policy& policy_;
    const Clock& clock_;
    bool running_ = false;
};

}  // namespace pep381d
