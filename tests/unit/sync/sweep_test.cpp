// What the master's journal never says is found, slowly, by asking for every page.
#include "pep381d/sync/sweep.h"

#include <filesystem>
#include <functional>
#include <set>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

struct World : SyncWorld {
    std::chrono::milliseconds interval{200};
    std::uintmax_t written_at_stop = 0;

    bool run_until(const std::function<bool()>& condition) {
        return SyncWorld::run_until(
            [&] {
                const bool held = condition();
                if (held) written_at_stop = written();
                return held;
            },
            interval);
    }
    int asked(const ProjectPage& page) { return network.asked[url(page)]; }
    int pages_asked() const {
        int count = 0;
        for (const auto& [key, times] : network.asked)
            count += key.find("/simple/") != std::string::npos ? times : 0;
        return count;
    }
    void publish_many(int count) {
        for (int i = 0; i < count; ++i) publish(page("p" + std::to_string(100 + i), 1, {}));
    }
    // As a page changes of which the journal says nothing.
    void archive(ProjectPage page) {
        page.status.status = "archived";
        page.members = R"("project-status":{"status":"archived"},"versions":[])";
        publish(page);
    }
    std::uintmax_t written() {
        const auto wal = directory.path() / "state.db-wal";
        return std::filesystem::exists(wal) ? std::filesystem::file_size(wal) : 0;
    }
};

// A mirror of so many projects, without a network.
struct Paced {
    TemporaryDirectory directory;
    State state{directory.path() / "state.db", State::Access::write};
    ManualClock clock;
    Filter filter{{"*"}, {}};
    std::chrono::milliseconds interval = 30 * 24h;

    explicit Paced(int projects) {
        State::Change change(state);
        for (int i = 0; i < projects; ++i)
            state.record_page(page("p" + std::to_string(1000 + i), 1, {}), "", "etag", Time{});
        state.set(Note::last_modified, clock.now());
        change.commit();
    }
    // What is asked for within this time; each answer is "not modified".
    std::vector<std::string> within(Sweep& sweep, std::chrono::milliseconds time) {
        std::vector<std::string> names;
        const Steady end = clock.steady() + time;
        while (clock.steady() < end) {
            if (sweep.due()) {
                if (const auto queued = sweep.take()) {
                    names.push_back(queued->name.text());
                    sweep.answered(false);
                }
                if (sweep.due()) continue;
            }
            const auto pause = std::chrono::ceil<std::chrono::milliseconds>(
                std::min(*sweep.next(), end) - clock.steady());
            clock.advance(std::max(pause, std::chrono::milliseconds(1)));
        }
        return names;
    }
};

}  // namespace

TEST_CASE("a project that was archived is found without an event") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    world.archive(foo);
    REQUIRE(world.run_until(
        [&] { return world.page_of("foo").find("archived") != std::string::npos; }));
    CHECK(world.network.asked["changelog_since_serial"] == 0);
    CHECK(world.removals().empty());
    CHECK(world.state.pending() == 0);
}

TEST_CASE("metadata and provenance that come late are found and fetched") {
    World world;
    auto late = page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")});
    const CoreMetadata offered = late.files[0].core_metadata;
    late.files[0].core_metadata = {};
    world.publish(late);
    REQUIRE_FALSE(world.pass());
    const std::string path = *file_path(late.files[0]) + ".metadata";
    REQUIRE_FALSE(world.there(path));
    late.files[0].core_metadata = offered;
    late.files[0].provenance = "https://master.example/integrity/foo";
    world.publish(late);
    REQUIRE(world.run_until(
        [&] { return world.page_of("foo").find("integrity") != std::string::npos; }));
    CHECK(world.there(path));
    CHECK(world.network.asked[late.files[0].url] == 1);  // the wheel itself not again
}

TEST_CASE("a page that is not modified is asked for by its ETag and costs no write") {
    World world;
    world.publish(foo);
    world.publish_many(200);
    REQUIRE_FALSE(world.pass());
    world.network.not_modified = true;
    world.network.asked.clear();
    world.interval = 20s;  // 90 ms for each, and a note once a second
    std::uintmax_t before = 0;
    REQUIRE(world.run_until([&] {
        if (world.pages_asked() == 3 && before == 0) before = world.written();
        return world.pages_asked() == 13;
    }));
    CHECK(before > 0);
    // Ten answers, and a note at most where the committer is slow.
    CHECK(world.written_at_stop - before < 10 * 4096);
    CHECK(world.removals().empty());
    CHECK(world.state.pending() == 0);
    CHECK(world.there("simple/foo/index.html"));
    CHECK(world.state.number(Note::sweep_asked) >= 9);
    CHECK(world.state.number(Note::sweep_found) == 0);
}

TEST_CASE("the sweep waits while anything else is on its way") {
    World world;
    world.publish(foo);
    world.publish_many(20);
    REQUIRE_FALSE(world.pass());
    world.network.asked.clear();
    world.network.answers[World::url(foo)].hangs = true;
    world.event("foo", "add Owner someone", 9);
    int before = 0;
    Steady end{};
    REQUIRE(world.run_until([&] {
        const bool hangs = world.asked(foo) > 0;
        if (hangs && before == 0) {
            before = world.pages_asked();
            end = world.clock.steady() + 300ms;
        }
        return hangs && world.clock.steady() > end;
    }));
    CHECK(world.pages_asked() == before);
}

TEST_CASE("a page that the sweep finds gone or shorter goes no sooner than elsewhere") {
    World world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    SECTION("gone") {
        world.network.answers.erase(World::url(foo));
        REQUIRE(world.run_until([&] { return world.asked(foo) >= 2; }));
        CHECK_THAT(world.cause_of("foo"), ContainsSubstring("404"));
    }
    SECTION("shorter") {
        auto less = foo;
        less.files.pop_back();
        world.publish(less);
        REQUIRE(world.run_until([&] { return world.asked(foo) >= 2; }));
        CHECK_THAT(world.cause_of("foo"), ContainsSubstring("second look"));
    }
    SECTION("broken") {
        world.network.answers[World::url(foo)].body = "{";
        REQUIRE(world.run_until([&] { return world.asked(foo) >= 2; }));
        CHECK_FALSE(world.cause_of("foo").empty());
    }
    CHECK(world.there("simple/foo/index.html"));
    for (const File& file : foo.files) CHECK(world.there(*file_path(file)));
    CHECK(world.removals().empty());
}

TEST_CASE("a sweep is spread over its interval, then rests, and begins again") {
    Paced world(1000);
    Sweep sweep(world.state, world.filter, world.clock, world.interval);
    const auto tenth = world.within(sweep, 3 * 24h);
    CHECK(tenth.size() > 100);
    CHECK(tenth.size() < 120);
    const auto rest = world.within(sweep, 25 * 24h);
    CHECK(tenth.size() + rest.size() == 1000);
    CHECK(rest.back() == "p1999");
    CHECK(world.within(sweep, 24h).empty());
    CHECK(world.state.time(Note::swept));
    CHECK_FALSE(world.within(sweep, 3 * 24h).empty());
}

TEST_CASE("a sweep keeps its place over restarts, however many there are") {
    Paced world(300);
    std::vector<std::string> names;
    for (int start = 0; start < 500 && names.size() < 300; ++start) {
        Sweep sweep(world.state, world.filter, world.clock, world.interval);
        for (auto& name : world.within(sweep, 59min)) names.push_back(name);
        sweep.leave();
    }
    CHECK(names.size() >= 300);
    CHECK(std::set(names.begin(), names.begin() + 300).size() == 300);
    SECTION("a kill repeats what was asked for since the newest note") {
        Paced quick(300);
        quick.interval = 1h;
        {
            Sweep sweep(quick.state, quick.filter, quick.clock, quick.interval);
            CHECK(quick.within(sweep, 40min).back() == "p1222");
        }
        Sweep again(quick.state, quick.filter, quick.clock, quick.interval);
        const auto first = quick.within(again, 1min).front();
        CHECK(first > "p1205");  // three minutes are 16 pages
        CHECK(first <= "p1222");
    }
}

TEST_CASE(
    "a sweep waits for a master that does not answer, and passes by a page that never comes") {
    Paced world(3);
    Sweep sweep(world.state, world.filter, world.clock, world.interval);
    std::vector<std::string> asked;
    Steady last = world.clock.steady();
    std::vector<std::int64_t> pauses;
    while (asked.size() < 4) {
        world.clock.advance(30s);
        if (!sweep.due()) continue;
        asked.push_back(sweep.take()->name.text());
        pauses.push_back((world.clock.steady() - last) / 1min);
        last = world.clock.steady();
        sweep.failed();
    }
    CHECK(asked == std::vector<std::string>{"p1000", "p1000", "p1000", "p1001"});
    CHECK(pauses[1] == 1);
    CHECK(pauses[2] == 2);
    CHECK(pauses[3] == 4);
}

TEST_CASE("a sweep asks for nothing without room, without a master, or what is queued anyway") {
    Paced world(3);
    Sweep sweep(world.state, world.filter, world.clock, world.interval);
    State::Change change(world.state);
    const auto set = [&](Note note, const char* text) { world.state.set(note, text); };
    SECTION("room") {
        set(Note::shortage, "no room");
        CHECK(world.within(sweep, 24h).empty());
        set(Note::shortage, "");
        CHECK(world.within(sweep, 24h).size() == 3);
    }
    SECTION("master") {
        set(Note::last_error, "it is down");
        CHECK(world.within(sweep, 24h).empty());
        set(Note::last_error, "");
        CHECK(world.within(sweep, 24h).size() == 3);
    }
    SECTION("queued") {
        world.state.enqueue(*ProjectName::parse("p1001"), "", Serial{2}, Loss::nothing, Time{},
                            true);
        CHECK(world.within(sweep, 24h) == std::vector<std::string>{"p1000", "p1002"});
    }
    change.commit();
}
