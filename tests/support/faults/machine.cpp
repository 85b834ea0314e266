#include "support/faults/machine.h"

#include <condition_variable>
#include <mutex>

#include "pep381d/sync/engine.h"
#include "pep381d/sync/knowledge.h"

#include "support/faults/memory_tree.h"
#include "support/faults/memory_vfs.h"
#include "support/silent_log.h"

namespace faults {

using namespace pep381d;

namespace {

// Rests while no transfer runs, until the committer has something new.
class RestingTransport final : public Transport {
  public:
    explicit RestingTransport(ScriptedTransport& network) : network_(network) {}

    void start(Request request, Receiver receiver) override {
        network_.start(std::move(request), std::move(receiver));
    }
    void wait(std::chrono::milliseconds most, int also) override {
        if (!network_.idle()) {
            network_.wait(most, also);
            return;
        }
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, most, [this] { return woken_; });
        woken_ = false;
    }
    void cancel_all() override { network_.cancel_all(); }
    void wake() override {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        changed_.notify_one();
    }

  private:
    ScriptedTransport& network_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

// The hour is given, so that all passes of a scenario write the same; the seconds pass.
class GivenClock final : public Clock {
  public:
    explicit GivenClock(Time now) : now_(now) {}
    Time now() const override { return now_; }
    Steady steady() const override { return std::chrono::steady_clock::now(); }

  private:
    Time now_;
};

unsigned seed_of(Time now) {
    return static_cast<unsigned>(now.time_since_epoch().count() / 1000);
}

// As app/mirror.cpp does it.
void work(Disks& disks, ScriptedTransport& network, const Policy& policy, Time now, Fate& fate,
          const Looks& looks, bool mend, Ending& ending) {
    SilentLog log;
    const GivenClock clock(now);
    MemoryTree tree(disks.tree, fate);
    MemoryVfs vfs(disks.state, fate, seed_of(now));
    State state(state_file(), State::Access::write);
    if (looks.before) looks.before(state, tree);
    RestingTransport transport(network);
    Staging staging(tree);
    Committer committer(state, tree, policy, clock, log, false);
    Engine engine(transport, staging, committer, policy, clock, log,
                  files_may_be_unknown(state, tree), {});
    struct Stop {
        Committer& committer;
        ~Stop() { committer.stop(); }
    } stop{committer};
    if (mend) {
        ScrubPolicy scrub;
        scrub.once = true;
        scrub.threads = 1;
        committer.verify(std::move(scrub));
    }
    committer.start([&transport] { transport.wake(); });
    ending.failure = engine.pass(!mend);
    committer.stop();
    committer.check();
    if (mend) ending.not_mended = committer.scrub_counters()->not_mended;
    if (!ending.failure && state.pending() == 0)
        if (Done swept = staging.sweep(); !swept) throw Fatal(5, swept.failure().what);
    if (looks.after) looks.after(state, tree);
}

Ending run(Disks& disks, const sample::ScriptedMaster& master, const Policy& policy, Time now,
           Fate& fate, const Looks& looks, bool mend) {
    ScriptedTransport network = master.network;
    network.asked.clear();
    Ending ending;
    try {
        work(disks, network, policy, now, fate, looks, mend, ending);
    } catch (const Fatal& fatal) {
        ending.fatal = fatal.what();
    }
    ending.asked = std::move(network.asked);
    return ending;
}

}  // namespace

Ending sync(Disks& disks, const sample::ScriptedMaster& master, const Policy& policy, Time now,
            Fate& fate, const Looks& looks) {
    return run(disks, master, policy, now, fate, looks, false);
}

Ending repair(Disks& disks, const sample::ScriptedMaster& master, const Policy& policy, Time now,
              Fate& fate, const Looks& looks) {
    return run(disks, master, policy, now, fate, looks, true);
}

void look(Disks disks, const Look& look) {
    Fate well;
    MemoryTree tree(disks.tree, well);
    MemoryVfs vfs(disks.state, well, 0);
    State state(state_file(), State::Access::write);
    look(state, tree);
}

}  // namespace faults
