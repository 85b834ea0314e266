// The loop: it owns the network and decides what runs when. One pass, or on and on as a daemon.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/net/transport.h"
#include "pep381d/sync/committer.h"
#include "pep381d/sync/jobs.h"
#include "pep381d/sync/key_look.h"
#include "pep381d/sync/policy.h"
#include "pep381d/sync/poll.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

// What the world outside asks of the loop.
enum class Command { none, stop, reload, poll };

struct Progress {
    std::int64_t pending = 0;  // projects that are still to be looked at
    std::int64_t pages = 0;    // published since the start, like the following
    std::int64_t files = 0;
    std::int64_t bytes = 0;  // arrived
    bool done = false;
};

// How long the daemon waits for the next poll after `failed` in a row that failed, the last like
// this: at most five times the interval, unless the master asks for more (at most an hour).
std::chrono::milliseconds poll_pause(const Failure& failure, int failed, const Policy& policy);

class Engine {
  public:
    struct Hooks {
        int descriptor = -1;  // readable when commands() has something to say
        std::function<Command()> commands;
        std::function<void(const Progress&)> report;  // called often
        // Of which room there is too little to fetch more; nothing: there is enough. Called often.
        std::function<std::optional<std::string>()> shortage{};
    };
    Engine(Transport& transport, Staging& staging, Committer& committer, const Policy& policy,
           const Clock& clock, Log& log, bool recovering, Hooks hooks);

    // One pass over all that has changed and all that is queued. With `poll` false: only what the
    // committer hands out. The failure is the poll's, or that of the look at the master's key where
    // all pages wait for that. Ends early on Command::stop. Throws DiskFull
    // where there is too little room, with all published that has arrived.
    std::optional<Failure> pass(bool poll);

    Command command() const { return command_; }

    // The daemon. Ends with the command that ended it, stop or reload. While there is too little
    // room it fetches nothing, but polls and removes.
    Command run();

  private:
    void step(std::chrono::milliseconds most);
    void look_at_room();
    bool wait(std::chrono::milliseconds pause);
    PollStart poll_start(const Committer::Standing& standing, bool with_list) const;
    bool list_due(const Committer::Standing& standing) const;
    std::optional<Failure> ask(bool with_list);
    void tell_jobs();
    std::optional<Failure> ask_with_patience();
    bool work_off();
    void sweep_when_done();
    void finish();
    bool drained();
    bool key_wanted(const Committer::Standing& standing) const;
    bool key_missing() const;
    void start_poll_if_due();
    void send(Message message);
    void flush_outgoing();

    Transport& transport_;
    Staging& staging_;
    Committer& committer_;
    const Policy& policy_;
    const Clock& clock_;
    Hooks hooks_;
    std::deque<Message> outgoing_;  // until the committer has room
    std::uint64_t next_page_ = 0;   // of those that the loop stages
    Jobs jobs_;
    Poll poll_;
    KeyLook key_look_;

    Command command_ = Command::none;
    bool may_work_ = false;
    bool paused_ = false;     // all work waits for the master
    std::string shortage_;    // of room; empty: there is enough
    bool room_told_ = false;  // to the committer
    const Steady began_;
    bool journal_read_ = false;  // by the daemon, since its start
    std::optional<Steady> next_poll_;
    int failed_polls_ = 0;
    std::chrono::milliseconds patience_{0};
    bool list_asked_ = false;       // by the pass, for what only a list can tell
    std::int64_t lists_asked_ = 0;  // by the daemon
    std::optional<Steady> last_list_;
};

}  // namespace pep381d
