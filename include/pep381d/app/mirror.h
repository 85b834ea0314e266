// One mirror, opened for work: its lock, state and staging, and passes over it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pep381d/app/config.h"
#include "pep381d/app/signals.h"
#include "pep381d/base/clock.h"
#include "pep381d/base/descriptor.h"
#include "pep381d/base/log.h"
#include "pep381d/net/curl_transport.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/engine.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/directory_tree.h"

namespace pep381d {

Policy policy_of(const Config& config, bool daemon);
TransportOptions transport_options(const Config& config);

struct PassResult {
    std::optional<Failure> poll;             // why the poll failed
    bool stopped = false;                    // by a signal
    bool named = false;                      // only some projects
    std::vector<std::string> not_at_master;  // of these
    std::string named_failure;               // of these, the first
};

// Waits, and says what ended it before its time; none: nothing.
Command wait_for_signal(Signals& signals, std::chrono::milliseconds most);

// What `verify --repair` found.
struct RepairResult {
    std::int64_t found = 0, not_mended = 0;
    bool stopped = false;
    std::optional<PassResult> pass;  // where a state that was lost had to be read again first
};

class Mirror {
  public:
    Mirror(const Config& config, const Clock& clock, Log& log, Signals& signals);

    // One pass; over these projects only where there are some.
    PassResult pass(const Config& config, const std::vector<std::string>& projects);
    // One round of verifying that mends what it finds, and fetches again what has to be.
    RepairResult repair(const Config& config, ScrubPolicy scrub);
    // Until a signal ends it: stop or reload. Where a disk is full it waits for room.
    Command run(const Config& config);

    State& state() { return state_; }

  private:
    struct Session;
    void check_tree(const Config& config);
    void begin_anew_where_apart(const Config& config);
    PassResult read(const Config& config, const std::vector<std::string>& projects);
    Command run_session(const Config& config);
    void note_full(const std::string& cause);

    const Clock& clock_;
    Log& log_;
    Signals& signals_;
    DirectoryTree tree_;
    // Closed after the state: to close any descriptor of a file gives up SQLite's locks on it.
    Descriptor state_lock_;
    State state_;
};

}  // namespace pep381d
