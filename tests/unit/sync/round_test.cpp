// That a round of verifying goes on where an earlier one was.
#include "pep381d/sync/round.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

struct World : SyncWorld {
    World() {
        publish(foo);
        publish(bar);
        REQUIRE_FALSE(pass());
    }
    Round round(RoundKind kind, bool keep = true) { return {state, tree, kind, 0, clock, keep}; }
    // Step by step until the first project has been looked at.
    void look_at_first(Round& round) {
        while (round.projects() == 0) REQUIRE(round.go_on(1));
    }
    void damage_both() {
        put("simple/foo/index.v1_json", "{}");
        put("simple/bar/index.v1_json", "{}");
    }
    static std::vector<std::string> found_to_the_end(Round& round) {
        while (round.go_on(1 << 20)) {
        }
        std::vector<std::string> paths;
        for (const Finding& finding : round.verification().take()) paths.push_back(finding.path);
        round.note_place();
        std::sort(paths.begin(), paths.end());
        return paths;
    }
};

const std::vector<std::string> second{"web/simple/foo/index.v1_json"};
const std::vector<std::string> both{"web/simple/bar/index.v1_json", "web/simple/foo/index.v1_json"};

}  // namespace

TEST_CASE("a round that was stopped goes on where it was, and the next one is whole") {
    const auto kind = GENERATE(RoundKind::command, RoundKind::looks, RoundKind::scrub);
    World world;
    {
        Round stopped = world.round(kind);
        CHECK_FALSE(stopped.resumed());
        world.look_at_first(stopped);
        stopped.note_place();
    }
    world.damage_both();
    {
        Round next = world.round(kind);
        CHECK(next.resumed());
        CHECK(next.projects() == 1);
        CHECK(world.found_to_the_end(next) == second);
        CHECK(next.projects() == 2);
    }
    world.clock.advance(std::chrono::seconds(1));
    Round whole = world.round(kind);
    CHECK_FALSE(whole.resumed());
    CHECK(world.found_to_the_end(whole) == both);
}

TEST_CASE("a killed round has noted what it had looked at a second before") {
    const auto kind = GENERATE(RoundKind::command, RoundKind::looks, RoundKind::scrub);
    World world;
    {
        Round killed = world.round(kind);
        world.look_at_first(killed);
        world.clock.advance(std::chrono::seconds(1));
        REQUIRE(killed.go_on(1));
    }
    CHECK(world.round(kind).projects() == 1);
}

TEST_CASE("a project that goes after it was looked at is not noted") {
    World world;
    Round round = world.round(RoundKind::command);
    world.look_at_first(round);
    State::Change change(world.state);
    for (const char* name : {"foo", "bar"}) world.state.drop_project(*ProjectName::parse(name));
    change.commit();
    round.note_place();
    CHECK(world.state.verified_since(Time{}) == 0);
}

TEST_CASE("a round that keeps no place leaves the state as it was") {
    World world;
    world.damage_both();
    Round beside = world.round(RoundKind::command, false);
    CHECK(world.found_to_the_end(beside) == both);
    beside.note_place();
    CHECK_FALSE(world.state.time(Note::verified));
    CHECK(world.state.verified_since(Time{}) == 0);
    CHECK_FALSE(world.round(RoundKind::command).resumed());
}

TEST_CASE("what a clock that was ahead has verified is verified again") {
    const auto kind = GENERATE(RoundKind::command, RoundKind::scrub);
    const bool whole = GENERATE(true, false);
    World world;
    world.clock.jump(48h);
    {
        Round ahead = world.round(kind);
        world.look_at_first(ahead);
        if (whole) world.found_to_the_end(ahead);
        ahead.note_place();
    }
    world.clock.jump(-48h);
    world.damage_both();
    Round right = world.round(kind);
    CHECK_FALSE(right.resumed());
    CHECK(world.found_to_the_end(right) == both);
}

TEST_CASE("a clock that is set back during a round does not bring projects once more") {
    const auto kind = GENERATE(RoundKind::command, RoundKind::scrub);
    World world;
    Round round = world.round(kind);
    world.look_at_first(round);
    world.clock.jump(-48h);
    round.note_place();
    CHECK(world.state.verified_since(round.began()) == 1);
    CHECK(world.found_to_the_end(round).empty());
    CHECK(round.projects() == 2);
}

TEST_CASE("what a round has found can be taken before its end is noted") {
    const auto kind = GENERATE(RoundKind::command, RoundKind::looks, RoundKind::scrub);
    World world;
    world.damage_both();
    Round round = world.round(kind);
    while (round.go_on(1 << 20)) {
    }
    CHECK_FALSE(world.state.time(Note::verified));
    CHECK(round.verification().take().size() == 2);
    round.note_place();
    CHECK(world.state.time(Note::verified).has_value() == (kind != RoundKind::looks));
}

TEST_CASE(
    "wherever a round is stopped, a page of a project that the state does not know is not lost") {
    const auto kind = GENERATE(RoundKind::command, RoundKind::looks, RoundKind::scrub);
    World world;
    auto other = page("other", 9, {sdist("other-1.0.tar.gz")});
    other.files[0].path = *file_path(other.files[0]);
    other.files[0].held = true;
    world.put("simple/other/index.html", project_html(other));  // and no such file
    {
        State::Change change(world.state);
        world.state.enqueue(other.name, "other", Serial{9}, Loss::nothing, world.clock.now(), true);
        change.commit();
    }
    bool over = false;
    for (int steps = 1; !over; ++steps) {
        INFO(steps);
        REQUIRE(steps < 1'000);
        world.clock.advance(1ms);
        std::size_t found = 0;
        {
            Round stopped = world.round(kind);
            for (int i = 0; i < steps && !over; ++i) over = !stopped.go_on(1);
            found = stopped.verification().take().size();
            stopped.note_place();
        }
        Round next = world.round(kind);
        CHECK(found + world.found_to_the_end(next).size() > 0);
    }
}

TEST_CASE("a daemon that is stopped notes the place of its round") {
    World world;
    // More than one slice of work, and the clock stands: there is no second one.
    for (int i = 0; i < 600; ++i) world.put("of-an-operator-" + std::to_string(i), "");
    ScrubPolicy policy;
    policy.interval = 24h;
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, true);
    committer.verify(std::move(policy));
    committer.start([] {});
    while (committer.scrub_counters()->of == 0) std::this_thread::yield();
    committer.stop();
    committer.check();
    CHECK(world.state.time(Note::scrub_began) == world.clock.now());
    CHECK(world.round(RoundKind::scrub).resumed());
}
