// What the mirror tells of itself: last-modified (PEP 381, "Statistics page" and design 2.3) and
// the status page.
//
// Thread rule: the committer's thread.
#pragma once

#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/model/status.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// What `pep381d status` shows, out of the state alone.
Status survey(State& state, const Policy& policy, Time now, std::size_t most_failing);

class Freshness {
  public:
    Freshness(State& state, FileTree& tree, const Policy& policy, const Clock& clock)
        : state_(state), tree_(tree), policy_(policy), clock_(clock) {}

    // Moves last-modified to the newest poll that is handled. Call it only when all that is
    // recorded is also published, the root index included.
    void publish_last_modified();
    void publish_status();

  private:
    void publish(const std::string& path, const std::string& bytes);

    State& state_;
    FileTree& tree_;
    const Policy& policy_;
    const Clock& clock_;
};

}  // namespace pep381d
