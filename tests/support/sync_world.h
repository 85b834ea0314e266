// A mirror and its master for tests of the whole way of a change: a scripted network, a clock of
// the test's own, the real disk and the real database.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include "pep381d/sync/engine.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/tree/directory_tree.h"

#include "support/manual_clock.h"
#include "support/scripted_master.h"
#include "support/silent_log.h"
#include "support/temporary_directory.h"

namespace sample {

using namespace std::chrono_literals;

struct SyncWorld : ScriptedMaster {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};
    State state{directory.path() / "state.db", State::Access::write};
    ManualClock clock;
    SilentLog log;
    Policy policy;
    Transport* transport = &network;
    std::int64_t left = 0;  // projects, as the newest pass counted them
    Engine::Hooks hooks;

    SyncWorld() {
        policy.master = master;
        policy.master_shown = master;
        policy.patience = 0ms;
    }

    std::optional<Failure> pass() {
        answer_polls();
        Staging staging(tree);
        Committer committer(state, tree, policy, clock, log, false);
        Engine engine(*transport, staging, committer, policy, clock, log,
                      files_may_be_unknown(state, tree), hooks);
        committer.start([this] { transport->wake(); });
        const auto failure = engine.pass(true);
        committer.stop();
        committer.check();
        left = committer.counters().pending;
        events.clear();
        return failure;
    }

    // The daemon, with a clock that the loop's turns move, until a condition holds. False: that has
    // not come for too long.
    bool run_until(const std::function<bool()>& condition,
                   std::optional<std::chrono::milliseconds> sweep = {}) {
        answer_polls();
        Staging staging(tree);
        Committer committer(state, tree, policy, clock, log, true);
        bool held = false;
        int turns = 0;
        hooks.commands = [&] {
            clock.advance(1ms);
            std::this_thread::sleep_for(100us);  // the committer's turn: the loop never waits
            held = condition();
            return held || ++turns > 50'000 ? Command::stop : Command::none;
        };
        Engine engine(*transport, staging, committer, policy, clock, log, false, hooks);
        if (sweep) committer.sweep(*sweep);
        committer.start([this] { transport->wake(); });
        engine.run();
        committer.stop();
        committer.check();
        events.clear();
        return held;
    }

    // One round that mends what it finds, with the network as it is. How many it could not mend.
    std::int64_t repair() {
        Staging staging(tree);
        Committer committer(state, tree, policy, clock, log, false);
        // What waits for a project that is worked on looks again by the clock.
        hooks.commands = [this] {
            clock.advance(1ms);
            return Command::none;
        };
        Engine engine(*transport, staging, committer, policy, clock, log, false, hooks);
        ScrubPolicy scrub;
        scrub.once = true;
        committer.verify(std::move(scrub));
        committer.start([] {});
        (void)engine.pass(false);
        committer.stop();
        committer.check();
        return committer.scrub_counters()->not_mended;
    }
    // Its tree is that of before then.
    void lose_state() {
        State::Change change(state);
        state.begin_anew();
        change.commit();
    }

    bool there(const std::string& path) {
        return std::filesystem::exists(directory.path() / "web" / path);
    }
    // As somebody else leaves it there.
    void put(const std::string& path, const std::string& bytes) {
        const auto to = directory.path() / "web" / path;
        std::filesystem::create_directories(to.parent_path());
        std::ofstream(to) << bytes;
    }
    // Longer than any memory, and no block of the disk in use. Hard links stay as they are.
    void make_huge(const std::string& path) {
        const auto where = directory.path() / "web" / path;
        std::filesystem::remove(where);
        put(path, "");
        std::filesystem::resize_file(where, std::uintmax_t{1} << 40);
    }
    std::string bytes(const std::string& path) {
        std::ifstream file(directory.path() / "web" / path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string page_of(const std::string& name) {
        return bytes("simple/" + name + "/index.v1_json");
    }
    // The record of removals, the newest first.
    std::vector<RemovalRecord> removals() {
        std::vector<RemovalRecord> all;
        state.for_each_removal([&](const RemovalRecord& removal) { all.push_back(removal); });
        return all;
    }
    std::string cause_of(const std::string& name) {
        for (const auto& project : state.failing_projects(1000))
            if (project.name == name) return project.cause;
        return {};
    }
};

inline const ProjectPage foo =
    page("foo", 5, {wheel("foo-1.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")});
inline ProjectPage foo_without_sdist(std::int64_t serial) {
    ProjectPage less = foo;
    less.serial = Serial{serial};
    less.files.pop_back();
    return less;
}
inline ProjectPage quarantined_foo(std::int64_t serial) {
    auto quarantined = page("foo", serial, {});
    quarantined.status = {"quarantined", "it steals tokens"};
    quarantined.members =
        R"("project-status":{"status":"quarantined","reason":"it steals tokens"},"versions":[])";
    return quarantined;
}
inline const ProjectPage bar = page("bar", 7, {sdist("bar-1.0.tar.gz")});

}  // namespace sample
