// What becomes of a queued project after a look at it: settled, tried again later, removed, or held
// back.
//
// Thread rule: the committer's thread; each call runs inside a State::Change of the caller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class Rulings {
  public:
    Rulings(State& state, FileTree& tree, const Policy& policy, const Clock& clock, Log& log)
        : state_(state), tree_(tree), policy_(policy), clock_(clock), log_(log) {}

    // The page is published (or was the same already).
    void page_recorded(const PageReady& page, const Replaced& replaced);
    void page_failed(const PageFailed& failed);
    void page_gone(const PageGone& gone);
    void page_stale(const PageStale& stale);
    void page_loses(const PageLoses& loses);
    // The configuration no longer wants it.
    void unwanted(const Queued& queued);
    // A project that was named on the command line and that the master does not have is noted, not
    // queued.
    void named(const std::vector<ProjectName>& names) { named_ = names; }

    // Some project's fate depends on a fresh name list.
    bool wants_list() const { return wants_list_; }
    void list_arrived() { wants_list_ = false; }
    // Something was removed since the last call: the root index must not wait.
    bool take_removed() { return std::exchange(removed_, false); }
    const std::vector<std::string>& not_at_master() const { return not_at_master_; }

  private:
    void postpone(const Queued& queued, const Failure& failure);
    void contradicts_removal(const Queued& queued, const Failure& failure);
    bool listed_out(const Queued& queued);
    bool is_of_before(const ProjectName& name);
    void judge(const Queued& queued, bool page_gone, const Failure& failure);
    void unknown_gone(const Queued& queued, const std::string& what);
    void gone_of_before(const Queued& queued, const std::string& what, bool asked_for);
    void drop(const Queued& queued, const std::string& why);
    bool held_back(const Queued& queued, const std::string& why);
    void note_replaced(const PageReady& page, const Replaced& replaced,
                       const std::optional<Queued>& queued);
    void note(RemovalKind kind, const ProjectName& name, Serial serial, std::string cause,
              std::vector<std::string> files);

    State& state_;
    FileTree& tree_;
    const Policy& policy_;
    const Clock& clock_;
    Log& log_;
    std::vector<ProjectName> named_;
    bool wants_list_ = false;
    bool removed_ = false;
    std::vector<std::string> not_at_master_;
};

}  // namespace pep381d
