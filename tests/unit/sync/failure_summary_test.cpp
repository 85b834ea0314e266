#include "pep381d/sync/failure_summary.h"

#include <mutex>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

struct KeptLog : Log {
    std::mutex mutex;
    std::vector<std::string> lines;  // of failures
    void write(Level level, std::string_view line) override {
        const std::lock_guard lock(mutex);
        if (level >= Level::info && line.starts_with("not_in_sync")) lines.emplace_back(line);
    }
};

}  // namespace

TEST_CASE("a summary tells how many fail, why most of them do, and what happens next") {
    const Time soon(1'900'000'000'000ms);
    std::vector<FailingProject> failing;
    for (const char* name : {"a", "b", "c"})
        failing.push_back({name, std::string("GET https://x/simple/") + name + "/: HTTP 503", 1,
                           soon + std::chrono::seconds(name[0])});
    failing.push_back({"d", "GET https://x/simple/d/: HTTP 404 Not Found", 2, soon});
    failing.push_back({"e", "the page https://x/simple/e/: is none", 2, soon});
    failing.push_back({"f", "no address\nat all", 2, soon});
    CHECK(failure_summary(failing, 1000) ==
          "not_in_sync projects=1000 next_try=2030-03-17T17:46:40Z "
          "cause=\"HTTP 503\" of=3 example=\"GET https://x/simple/a/: HTTP 503\" "
          "cause=\"HTTP 404 Not Found\" of=1 example=\"GET https://x/simple/d/: HTTP 404 Not "
          "Found\" cause=\"is none\" of=1 example=\"the page https://x/simple/e/: is none\"");
}

TEST_CASE("a daemon tells of failures once a minute, and only of new ones") {
    SyncWorld world;
    KeptLog log;
    const auto fail = [&](Committer& committer, int count) {
        for (int i = 0; i < count; ++i) {
            const auto name = *ProjectName::parse("p" + std::to_string(i));
            committer.send(PageFailed{name, {Fault::retry_later, "GET https://x/: HTTP 503"}});
        }
    };
    {
        State::Change change(world.state);
        for (int i = 0; i < 50; ++i) {
            const std::string name = "p" + std::to_string(i);
            world.state.enqueue(*ProjectName::parse(name), name, Serial{1}, Loss::nothing,
                                world.clock.now(), true);
        }
        change.commit();
    }
    const auto minute = [&](int failures, std::chrono::milliseconds passes) {
        Committer committer(world.state, world.tree, world.policy, world.clock, log, true);
        committer.start([] {});
        fail(committer, failures);
        world.clock.advance(passes);
        committer.send(RetryAll{});
        committer.stop();
        return std::exchange(log.lines, {});
    };
    const auto told = minute(50, 61s);
    REQUIRE(told.size() == 1);
    CHECK_THAT(told[0], ContainsSubstring("projects=50 "));
    CHECK(minute(50, 30s).empty());
    CHECK(minute(0, 300s).empty());
}
