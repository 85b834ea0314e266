#include "pep381d/state/state.h"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

#include "pep381d/base/descriptor.h"

#include "support/catch.h"
#include "support/sample_page.h"
#include "support/temporary_directory.h"

using namespace pep381d;
using namespace sample;
using namespace std::chrono_literals;

namespace {

const Time noon{std::chrono::hours(500'000)};

ProjectName name(const char* text) {
    return *ProjectName::parse(text);
}

struct World {
    TemporaryDirectory directory;
    State state{directory.path() / "state.db", State::Access::write};

    template <class Work>
    void change(Work work) {
        State::Change change(state);
        work();
        change.commit();
    }
    void publish(const ProjectPage& page) {
        change([&] { state.record_page(page, page.name.text(), "etag", noon); });
    }
};

ProjectPage held(ProjectPage page) {
    for (File& file : page.files) {
        file.path = *file_path(file);
        file.held = true;
        file.metadata_held = file.core_metadata.offered;
    }
    return page;
}

}  // namespace

TEST_CASE("a page comes back from the state as it was put in") {
    World world;
    ProjectPage page =
        held(sample::page("foo", 7, {wheel("foo-2.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")}));
    page.status = {"archived", "no time"};
    File& odd = page.files[1];
    odd.url = "https://elsewhere.example/x?y=" + odd.name.text();
    odd.digests = {{Algorithm::sha512, std::string(64, 'x')},
                   {Algorithm::md5, std::string(16, 'y')}};
    odd.yanked = true;
    odd.yanked_reason = "broken <&> \"build\"";
    odd.provenance = "https://pypi.org/integrity/foo";
    odd.members = R"("hashes":{},"unknown":[1,2.50,null])";
    odd.size.reset();
    odd.requires_python.reset();
    odd.upload_time.reset();
    world.publish(page);

    const auto read = world.state.page(page.name);
    REQUIRE(read);
    CHECK(*read == page);
}

TEST_CASE("files keep the master's order") {
    World world;
    const auto page = held(sample::page(
        "foo", 1, {sdist("foo-9.0.tar.gz"), sdist("foo-10.0.tar.gz"), sdist("foo-1.0.tar.gz")}));
    world.change([&] {
        for (const File& file : page.files) world.state.record_file(page.name, "foo", file);
    });
    world.publish(page);
    CHECK(world.state.page(page.name)->files == page.files);
}

TEST_CASE("a file that comes before its page leaves the companion of the one before with us") {
    World world;
    const auto before = held(sample::page("foo", 1, {wheel("foo-1.0-py3-none-any.whl")}));
    world.publish(before);
    auto after = before;
    after.files[0].digests[0].bytes = sha256("another");
    after.files[0].core_metadata = {};
    after.files[0].metadata_held = false;
    world.change([&] { world.state.record_file(after.name, "foo", after.files[0]); });
    const File early = world.state.page(after.name)->files.at(0);
    CHECK(early.digests == after.files[0].digests);
    CHECK(early.metadata_held);
    CHECK(early.core_metadata == before.files[0].core_metadata);
    world.publish(after);
    CHECK(world.state.page(after.name) == after);
    CHECK(world.state.files_to_remove(noon, 10) ==
          std::vector<std::string>{before.files[0].path + ".metadata"});
}

TEST_CASE("a companion that nothing proves is not believed beside other bytes") {
    World world;
    auto before = held(sample::page("foo", 1, {wheel("foo-1.0-py3-none-any.whl")}));
    before.files[0].core_metadata = {true, {}};
    before.files[0].metadata_held = true;
    const bool by_etag = GENERATE(false, true);
    if (by_etag) before.files[0].digests.clear();
    world.publish(before);
    File after = before.files[0];
    if (!by_etag) after.digests[0].bytes = sha256("another");
    const std::string companion = after.path + ".metadata";
    world.change([&] { world.state.record_file(before.name, "foo", after); });
    CHECK_FALSE(world.state.holds(before.name, companion));
    CHECK(world.state.intended().contains(companion));  // the page settles it
    world.change([&] { world.state.record_metadata(before.name, after); });
    CHECK(world.state.holds(before.name, companion));
    CHECK(world.state.intended().empty());
}

TEST_CASE("what a new page no longer names is put down for removal, with its metadata") {
    World world;
    const auto before =
        held(sample::page("foo", 1, {wheel("foo-1.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")}));
    world.publish(before);
    CHECK(world.state.totals().files == 2);
    world.publish(held(sample::page("foo", 2, {sdist("foo-1.0.tar.gz")})));
    const auto& path = before.files[0].path;
    CHECK(world.state.files_to_remove(noon, 10) ==
          std::vector<std::string>{path, path + ".metadata"});
    CHECK(world.state.files_to_remove(noon - 1ms, 10).empty());
    CHECK(world.state.totals().files == 1);
    CHECK(world.state.totals().bytes == before.files[1].size);

    world.publish(before);
    CHECK(world.state.files_to_remove(noon, 10).empty());
}

TEST_CASE("a dropped project's page waits for the root index, and its files for its page") {
    World world;
    const auto page = held(sample::page("foo", 1, {sdist("foo-1.0.tar.gz")}));
    world.publish(page);
    const auto before = world.state.number(Note::root_changes).value();
    world.change([&] { world.state.drop_project(page.name); });

    CHECK(world.state.pages_to_remove(before).empty());
    CHECK(world.state.pages_wait_for_root(before));
    CHECK(world.state.files_to_remove(noon, 10).empty());
    const auto pages = world.state.pages_to_remove(before + 1);
    CHECK(pages == std::vector<std::string>{"serversig/foo", "serversig/foo.ed25519",
                                            "simple/foo/index.html", "simple/foo/index.v1_html",
                                            "simple/foo/index.v1_json"});
    world.change([&] {
        for (const auto& path : pages) world.state.removed(path);
    });
    CHECK(world.state.files_to_remove(noon, 10) == std::vector<std::string>{page.files[0].path});
    CHECK_FALSE(world.state.published(page.name));
    CHECK(world.state.totals().projects == 0);
    CHECK(world.state.totals().files == 0);
}

TEST_CASE("an event that comes in while a project is worked on is not lost") {
    World world;
    world.change(
        [&] { world.state.enqueue(name("foo"), "Foo", Serial{5}, Loss::nothing, noon, false); });
    world.change(
        [&] { world.state.enqueue(name("foo"), "Foo", Serial{9}, Loss::files, noon, true); });
    world.change([&] { world.state.settle(name("foo"), Serial{5}); });
    auto queued = world.state.queued(name("foo"));
    REQUIRE(queued);
    CHECK(queued->serial == Serial{9});
    CHECK(queued->display == "Foo");
    world.change([&] { world.state.settle(name("foo"), Serial{9}); });
    CHECK_FALSE(world.state.queued(name("foo")));
}

TEST_CASE("the backlog of a list is queued like its projects one by one") {
    World world;
    std::vector<ListedProject> list;
    for (int i = 100; i < 170; ++i)
        list.push_back({"p" + std::to_string(i), "P" + std::to_string(i), Serial{i}});
    world.change([&] {
        world.state.enqueue(name("p105"), "p105", Serial{3}, Loss::files, noon, true);
        world.state.enqueue(name("p140"), "newer", Serial{999}, Loss::nothing, noon, true);
    });
    CHECK(world.state.pending() == 2);
    world.change([&] { world.state.enqueue(list, noon + 1min); });
    CHECK(world.state.pending() == 70);
    CHECK(world.state.backlog("", 1000).size() == 68);
    CHECK(world.state.queued(name("p169"))->serial == Serial{169});
    CHECK(world.state.queued(name("p169"))->display == "P169");
    const auto older = world.state.queued(name("p105"));
    CHECK(older->serial == Serial{105});
    CHECK(older->loss == Loss::files);
    CHECK(older->last_loss == Loss::nothing);
    CHECK(world.state.queued(name("p140"))->display == "newer");
}

TEST_CASE("the counts of the queue follow what happens to it") {
    World world;
    const auto counted = [&] {
        State other(world.directory.path() / "state.db", State::Access::read);
        return std::pair(other.pending(), other.deletion_candidates());
    };
    const auto kept = [&] {
        return std::pair(world.state.pending(), world.state.deletion_candidates());
    };
    using Counts = std::pair<std::int64_t, std::int64_t>;
    CHECK(kept() == Counts{0, 0});
    const auto enqueue = [&](const char* text, int serial) {
        world.state.enqueue(name(text), text, Serial{serial}, Loss::nothing, noon, true);
    };
    world.change([&] {
        enqueue("a", 1);
        enqueue("b", 1);
        enqueue("c", 1);
        enqueue("a", 2);
        world.state.note_candidate(name("a"), true);
        world.state.note_candidate(name("b"), true);
        world.state.note_candidate(name("b"), true);
        world.state.note_candidate(name("d"), true);
        world.state.note_candidate(name("c"), false);
    });
    CHECK(kept() == Counts{3, 2});
    CHECK(kept() == counted());
    world.change([&] {
        world.state.settle(name("a"), Serial{1});
        world.state.settle(name("b"), Serial{1});
        world.state.settle(name("d"), Serial{1});
        world.state.note_absent(name("a"), noon);
        world.state.note_listed(name("a"));
    });
    CHECK(kept() == Counts{2, 0});
    CHECK(kept() == counted());
    {
        State::Change undone(world.state);
        enqueue("e", 1);
        world.state.note_candidate(name("e"), true);
        world.state.settle(name("c"), Serial{1});
    }
    CHECK(kept() == Counts{2, 0});
    CHECK(kept() == counted());
}

TEST_CASE("of what is left out no more than a part is kept where it is long") {
    World world;
    const std::string megabyte(1 << 20, 'x');
    world.change([&] { world.state.skip(megabyte, megabyte, megabyte); });
    const auto skipped = world.state.skipped(10);
    REQUIRE(skipped.size() == 1);
    CHECK(skipped[0].name == std::string(1000, 'x') + ": " + std::string(1000, 'x'));
    CHECK(skipped[0].cause == std::string(1000, 'x'));
}

TEST_CASE("what is left out is kept up to some thousands, and there is room again later") {
    World world;
    world.change([&] {
        for (int i = 0; i < 10'010; ++i) world.state.skip("p" + std::to_string(i), "", "why");
    });
    CHECK(world.state.skipped(20'000).size() == 10'000);
    world.change([&] {
        world.state.clear_skipped(name("p7"));
        world.state.skip("new", "", "why");
    });
    const auto skipped = world.state.skipped(20'000);
    CHECK(skipped.size() == 10'000);
    CHECK(std::any_of(skipped.begin(), skipped.end(),
                      [](const SkippedItem& item) { return item.name == "new"; }));
}

TEST_CASE("the newest event says what is expected, the greatest loss what is explained") {
    World world;
    world.change([&] {
        world.state.enqueue(name("foo"), "foo", Serial{5}, Loss::project, noon, true);
        world.state.enqueue(name("foo"), "foo", Serial{6}, Loss::nothing, noon, true);
    });
    const auto queued = world.state.queued(name("foo"));
    CHECK(queued->loss == Loss::project);
    CHECK(queued->last_loss == Loss::nothing);
}

TEST_CASE("events go before the backlog, and what failed waits for its time") {
    World world;
    world.change([&] {
        world.state.enqueue(name("backlog"), "backlog", Serial{1}, Loss::nothing, noon, false);
        world.state.enqueue(name("event"), "event", Serial{2}, Loss::nothing, noon, true);
        world.state.enqueue(name("failed"), "failed", Serial{3}, Loss::nothing, noon, true);
        world.state.postpone(name("failed"), noon + 1min, noon, {Fault::retry_later, "HTTP 503"});
    });
    const auto due = world.state.due(noon, 10);
    REQUIRE(due.size() == 1);
    CHECK(due[0].name == name("event"));
    CHECK(world.state.due(noon + 1min, 10).size() == 2);
    const auto backlog = world.state.backlog("", 10);
    REQUIRE(backlog.size() == 1);
    CHECK(backlog[0].name == name("backlog"));
    CHECK(world.state.backlog("backlog", 10).empty());
    const auto failing = world.state.failing_projects(10);
    REQUIRE(failing.size() == 1);
    CHECK(failing[0] == FailingProject{"failed", "HTTP 503", 1, noon + 1min});
}

TEST_CASE(
    "last-modified is the newest poll of which nothing is left, but for what the master has not "
    "mended for an hour") {
    World world;
    world.change([&] {
        world.state.record_poll(noon);
        world.state.enqueue(name("foo"), "foo", Serial{1}, Loss::nothing, noon + 1min, true);
        world.state.record_poll(noon + 1min);
        world.state.record_poll(noon + 2min);
    });
    world.change([&] { CHECK(world.state.handled_until(noon + 3min) == noon); });
    world.change([&] {
        world.state.postpone(name("foo"), noon, noon + 3min, {Fault::gone, "404"});
    });
    world.change([&] { CHECK(world.state.handled_until(noon + 62min) == noon); });
    world.change([&] { CHECK(world.state.handled_until(noon + 63min) == noon + 2min); });
    world.change([&] {
        world.state.postpone(name("foo"), noon, noon + 3min, {Fault::local, "disk full"});
    });
    world.change([&] {
        world.state.record_poll(noon + 70min);
        CHECK(world.state.handled_until(noon + 80min) != noon + 70min);
    });
}

TEST_CASE("what a change did is undone unless it is committed, totals included") {
    World world;
    {
        State::Change change(world.state);
        world.state.record_page(held(sample::page("foo", 1, {sdist("foo-1.0.tar.gz")})), "foo", "",
                                noon);
        world.state.set(Note::cursor, std::int64_t{12});
    }
    CHECK_FALSE(world.state.published(name("foo")));
    CHECK_FALSE(world.state.number(Note::cursor));
    CHECK(world.state.totals().files == 0);
}

TEST_CASE("a quarantined project keeps its page and leaves the root index") {
    World world;
    auto page = sample::page("foo", 1, {});
    page.status.status = "quarantined";
    world.publish(page);
    const auto published = world.state.published(page.name);
    REQUIRE(published);
    CHECK(published->page);
    CHECK_FALSE(published->listed);
    CHECK(world.state.totals().projects == 0);
}

TEST_CASE("another process reads beside the one that writes, and when none does") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    {
        State writer(path, State::Access::write);
        State::Change change(writer);
        writer.set(Note::cursor, std::int64_t{5});
        change.commit();
        CHECK(State(path, State::Access::read).number(Note::cursor) == 5);
    }
    CHECK(State(path, State::Access::read).number(Note::cursor) == 5);
}

TEST_CASE("a file that is no state of ours is refused with what to do") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    std::ofstream(path) << std::string(5000, 'x');
    try {
        State state(path, State::Access::write);
        FAIL("it was taken for a state");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK_THAT(fatal.what(), ContainsSubstring(path));
        CHECK_THAT(fatal.what(), ContainsSubstring("set state.file to another path"));
    }
}

TEST_CASE("files that come, go and change places are what the state has afterwards") {
    World world;
    std::vector<File> files =
        held(sample::page("foo", 1,
                          {sdist("foo-1.0.tar.gz"), wheel("foo-1.0-py3-none-any.whl"),
                           sdist("second.zip"), sdist("foo-10.0.tar.gz")}))
            .files;
    // Every list of some of the files, after every other such list.
    std::vector<std::vector<std::size_t>> lists{{}};
    for (std::size_t done = 0; done < lists.size() && lists[done].size() < 3; ++done)
        for (std::size_t i = 0; i < files.size(); ++i)
            if (std::find(lists[done].begin(), lists[done].end(), i) == lists[done].end()) {
                lists.push_back(lists[done]);
                lists.back().push_back(i);
            }
    const auto publish = [&](const std::vector<std::size_t>& list) {
        ProjectPage page = sample::page("foo", 2, {});
        for (const std::size_t i : list) page.files.push_back(files[i]);
        world.state.record_page(page, "foo", "etag", noon);
        return page;
    };
    State::Change change(world.state);
    for (const auto& before : lists)
        for (const auto& after : lists) {
            publish(before);
            const ProjectPage page = publish(after);
            REQUIRE(world.state.page(page.name) == page);
            REQUIRE(world.state.totals().files == static_cast<std::int64_t>(after.size()));
            const auto removed = world.state.files_to_remove(noon, 100);
            for (std::size_t i = 0; i < files.size(); ++i) {
                const auto in = [i](const auto& list) {
                    return std::find(list.begin(), list.end(), i) != list.end();
                };
                const bool gone =
                    std::find(removed.begin(), removed.end(), files[i].path) != removed.end();
                if (in(after)) REQUIRE_FALSE(gone);
                if (in(before) && !in(after)) REQUIRE(gone);
                REQUIRE(world.state.owned(files[i].path) == in(after));
                REQUIRE(world.state.owned(files[i].path + ".metadata") ==
                        (in(after) && files[i].metadata_held));
            }
        }
}

TEST_CASE("whose a path is is found, whatever the file and its projects are called") {
    World world;
    const auto odd = wheel("Oddly_called.whl"), fair = wheel("foo-1.0-py3-none-any.whl");
    const auto first = held(sample::page("foo", 1, {odd, fair}));
    const auto second = held(sample::page("bar", 2, {fair, odd}));
    const auto all = [&](bool owned) {
        for (const File& file : first.files)
            for (const char* end : {"", ".metadata"})
                CHECK(world.state.owned(file.path + end) == owned);
        // The same name elsewhere is another file.
        CHECK_FALSE(world.state.owned("packages/aa/" + odd.name.text()));
        CHECK_FALSE(world.state.owned(first.files[0].path + ".metadata.metadata"));
    };
    all(false);
    // With its page, or before that.
    world.publish(first);
    world.change([&] {
        for (const File& file : second.files) {
            world.state.record_metadata(second.name, file);  // its file is not known yet
            world.state.record_file(second.name, "bar", file);
            CHECK_FALSE(world.state.holds(second.name, file.path + ".metadata"));
            world.state.record_metadata(second.name, file);
        }
    });
    all(true);
    const bool first_goes = GENERATE(false, true);
    CAPTURE(first_goes);
    world.change([&] { world.state.drop_project(first_goes ? first.name : second.name); });
    all(true);
    CHECK(world.state.holds(first.name, first.files[0].path) != first_goes);
    CHECK(world.state.holds(second.name, first.files[0].path) == first_goes);
    const auto& other = first_goes ? second : first;
    world.publish(page(other.name.text().c_str(), 3, {}));
    all(false);
    // Ids are used again.
    world.change([&] { world.state.drop_project(other.name); });
    world.publish(held(page("baz", 4, {sdist("baz-1.0.tar.gz")})));
    all(false);
}

// Else a full disk ends the process by a signal: SQLite maps what has no room yet.
TEST_CASE("the index of the write-ahead log has its room from the start") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    const std::string other = directory.path() / "other";
    const Descriptor probe(::open(other.c_str(), O_WRONLY | O_CREAT, 0644));
    const bool can_reserve = fallocate(probe.get(), FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;

    const State state(path, State::Access::write);
    struct stat about {};
    REQUIRE(stat((path + "-shm").c_str(), &about) == 0);
    CHECK(about.st_blocks * 512 >= (can_reserve ? 256 << 10 : 1));
}
