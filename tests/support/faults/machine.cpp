#include "support/faults/machine.h"

#include <condition_variable>
#include <mutex>

#include "pep381d/sync/engine.h"

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

class FixedClock final : public Clock {
  public:
    explicit FixedClock(Time now) : now_(now) {}
    Time now() const override { return now_; }
    Steady steady() const override { return Steady(now_.time_since_epoch()); }

  private:
    Time now_;
};

// As app/mirror.cpp does it.
std::optional<Failure> pass(Disks& disks, ScriptedTransport& network, const Policy& policy,
                            const Clock& clock, Fate& fate, const Looks& looks) {
    SilentLog log;
    MemoryTree tree(disks.tree, fate);
    MemoryVfs vfs(disks.state, fate,
                  static_cast<unsigned>(clock.now().time_since_epoch().count() / 1000));
    State state(state_file(), State::Access::write);
    if (looks.before) looks.before(state);
    RestingTransport transport(network);
    Staging staging(tree);
    Committer committer(state, tree, policy, clock, log, false);
    Engine engine(transport, staging, committer, policy, clock, log, state.any_intended(), {});
    struct Stop {
        Committer& committer;
        ~Stop() { committer.stop(); }
    } stop{committer};
    committer.start([&transport] { transport.wake(); });
    auto failure = engine.pass(true);
    committer.stop();
    committer.check();
    if (!failure && state.pending() == 0)
        if (Done swept = staging.sweep(); !swept) throw Fatal(5, swept.failure().what);
    if (looks.after) looks.after(state);
    return failure;
}

}  // namespace

Ending sync(Disks& disks, const sample::ScriptedMaster& master, const Policy& policy, Time now,
            Fate& fate, const Looks& looks) {
    ScriptedTransport network = master.network;
    network.asked.clear();
    const FixedClock clock(now);
    Ending ending;
    try {
        ending.failure = pass(disks, network, policy, clock, fate, looks);
    } catch (const Fatal& fatal) {
        ending.fatal = fatal.what();
    }
    ending.asked = std::move(network.asked);
    return ending;
}

}  // namespace faults
