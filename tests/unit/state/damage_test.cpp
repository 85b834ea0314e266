// Whatever is wrong with the state's file is told when it is met, and never believed.
#include "pep381d/state/damage.h"

#include <fstream>
#include <functional>
#include <iterator>
#include <random>

#include <sqlite3.h>

#include "pep381d/model/file_path.h"
#include "pep381d/state/state.h"

#include "support/catch.h"
#include "support/sample_page.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

const Time noon = parse_basic("20261121T12:00:00").value();

ProjectName name(const std::string& text) {
    return *ProjectName::parse(text);
}

struct World {
    TemporaryDirectory directory;
    std::string path = directory.path() / "state.db";

    // A state with something in every table.
    void fill(int projects) {
        State state(path, State::Access::write);
        State::Change change(state);
        for (int i = 0; i < projects; ++i) {
            const std::string foo = "foo-" + std::to_string(i);
            auto page = sample::page(
                foo, i + 1,
                {sample::wheel(foo + "-1.0-py3-none-any.whl"), sample::sdist(foo + "-1.0.tar.gz")});
            for (File& file : page.files) {
                file.path = file_path(file).value();
                file.held = true;
            }
            page.files[1].digests.insert(page.files[1].digests.begin(),
                                         {Algorithm::md5, std::string(16, 'm')});
            state.record_page(page, "Foo." + std::to_string(i), "\"etag\"", noon);
            state.enqueue(name("new-" + std::to_string(i)), "New", Serial{9}, Loss::files, noon,
                          i % 2 == 0);
            state.put_down("packages/aa/old-" + std::to_string(i), noon);
        }
        state.postpone(name("new-0"), noon, noon, {Fault::gone, "404"});
        state.note_absent(name("new-1"), noon);
        state.put_down("simple/old/index.html", noon);
        state.intend(name("foo-0"), "packages/ab/foo-3.0.tar.gz");
        state.skip("../x", "", "illegal");
        state.record_removal(
            {noon, RemovalKind::removed, "gone", Serial{3}, "a cause", {"packages/x"}});
        state.record_poll(noon);
        state.set(Note::cursor, std::int64_t{9});
        state.set(Note::last_modified, noon);
        change.commit();
    }

    std::string bytes() const {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void overwrite(const std::string& bytes) {
        for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path + suffix);
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    void sql(const std::string& text) {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        CAPTURE(text, sqlite3_errmsg(database));
        CHECK(sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(database);
    }
    std::string complaint(State::Access access = State::Access::write) {
        try {
            State state(path, access);
            read_all(state);
        } catch (const Fatal& fatal) {
            CHECK(fatal.exit_status() == 5);
            return fatal.what();
        }
        return {};
    }

    // Everything that sync, status and verify ask for.
    static void read_all(State& state) {
        for (const Note note : {Note::cursor, Note::root_changes, Note::projects})
            (void)state.number(note);
        (void)state.time(Note::last_modified);
        std::vector<ListedProject> some(7);
        std::string after;
        for (std::size_t count = 1; count > 0; after = count > 0 ? some[count - 1].name : after) {
            count = state.shown(after, some);
            for (std::size_t i = 0; i < count; ++i)
                if (const auto project = ProjectName::parse(some[i].name)) {
                    (void)state.published(*project);
                    (void)state.page(*project);
                }
            if (count > 0 && some[count - 1].name <= after) break;
        }
        (void)state.projects_after("", 1000);
        state.for_each_listed([](std::string_view, std::string_view, Serial) {});
        (void)state.due(noon, 1000);
        (void)state.backlog("", 1000);
        (void)state.absent("", 1000);
        (void)state.failing_projects(1000);
        (void)state.skipped(1000);
        state.for_each_removal([](const RemovalRecord&) {});
        (void)state.next_due();
        (void)state.next_removal();
        (void)state.pending();
        (void)state.deletion_candidates();
        (void)state.owned("packages/aa/foo-1-1.0.tar.gz");
        for (const std::string& path : state.files_to_remove(noon, 1000))
            CHECK(legal_file_path(path));
        for (const std::string& path : state.pages_to_remove(1'000'000))
            CHECK(path.find("..") == std::string::npos);
        (void)state.whole();
    }
};

}  // namespace

TEST_CASE("what is no state of ours is told, with what to do") {
    World world;
    const auto access = GENERATE(State::Access::write, State::Access::read);
    SECTION("empty") {
        world.overwrite("");
        CHECK_THAT(world.complaint(access), ContainsSubstring("it is empty; run `pep381d adopt`"));
        CHECK(world.bytes().empty());
    }
    SECTION("no database") {
        world.overwrite(std::string(10'000, 'x'));
        CHECK_THAT(world.complaint(access),
                   ContainsSubstring("not a database") &&
                       ContainsSubstring("set state.file to another path, or run "
                                         "`pep381d adopt`"));
    }
    SECTION("a directory") {
        std::filesystem::create_directory(world.path);
        CHECK_THAT(world.complaint(access), ContainsSubstring("it is no file"));
    }
    SECTION("a link to what is not there") {
        std::filesystem::create_symlink(world.path + ".elsewhere", world.path);
        CHECK_THAT(world.complaint(access), ContainsSubstring("leads nowhere"));
        CHECK(std::filesystem::is_symlink(world.path));
    }
    SECTION("another program's") {
        world.sql("CREATE TABLE t(x); PRAGMA application_id=7");
        CHECK_THAT(world.complaint(access), ContainsSubstring("belongs to another program"));
    }
    SECTION("a newer version's") {
        world.fill(1);
        world.sql("PRAGMA user_version=1000");
        CHECK_THAT(world.complaint(access), ContainsSubstring("newer pep381d"));
    }
    SECTION("cut short") {
        world.fill(50);
        world.overwrite(world.bytes().substr(0, 9000));
        CHECK_THAT(world.complaint(access), ContainsSubstring("run `pep381d adopt`"));
    }
    CAPTURE(world.complaint(access));
    CHECK_THAT(world.complaint(access), ContainsSubstring(world.path));
}

TEST_CASE("who asks for a state that is not there is told, and makes none") {
    World world;
    CHECK_THAT(world.complaint(State::Access::read), ContainsSubstring("there is none"));
    CHECK_FALSE(std::filesystem::exists(world.path));
}

TEST_CASE("what an older state left in its log never gets into a new one") {
    World world;
    world.fill(3);
    {
        State state(world.path, State::Access::write);
        State::Change change(state);
        state.set(Note::cursor, std::int64_t{77});
        change.commit();
        std::filesystem::copy_file(world.path + "-wal", world.path + "-kept");
    }
    std::filesystem::remove(world.path);
    std::filesystem::rename(world.path + "-kept", world.path + "-wal");
    State state(world.path, State::Access::write);
    CHECK_FALSE(state.number(Note::cursor));
    CHECK(state.whole());
}

TEST_CASE("rows that make no sense are damage") {
    World world;
    world.fill(3);
    const auto [sql, cause] = GENERATE(table<std::string, std::string>({
        {"UPDATE projects SET name = '../x' WHERE name = 'foo-1'", "illegal project name"},
        {"UPDATE projects SET name = 'Foo' WHERE name = 'foo-1'", "illegal project name"},
        {"UPDATE projects SET serial = -1 WHERE name = 'foo-1'", "the number -1"},
        {"UPDATE projects SET serial = 'x' WHERE name = 'foo-1'", "something else"},
        {"UPDATE projects SET page = 3 WHERE name = 'foo-1'", "the number 3"},
        {"UPDATE files SET name = '../../x' WHERE project = 1 AND position = 0",
         "illegal file name"},
        {"UPDATE files SET path = x'00'", "digest of a wrong size"},
        {"UPDATE files SET path = 'packages/../../etc/x'", "illegal path"},
        {"UPDATE files SET path = 'simple/x'", "illegal path"},
        {"UPDATE files SET digests = x'0011'", "digest of a wrong size"},
        {"UPDATE files SET digests = 'md5=00'", "digests that are none"},
        {"UPDATE files SET digests = 'sha256'", "digests that are none"},
        {"UPDATE files SET size = -7", "the number -7"},
        {"UPDATE files SET held = 9", "the number 9"},
        {"UPDATE files SET metadata = x'00'", "digest of a wrong size"},
        {"UPDATE files SET url = 99", "an origin that is not there"},
        {"UPDATE queue SET name = 'a/b' WHERE name = 'new-0'", "illegal project name"},
        {"UPDATE queue SET loss = 7", "the number 7"},
        {"UPDATE queue SET attempts = -1", "the number -1"},
        {"UPDATE queue SET not_before = 9223372036854775807", "the number 9223372036854775807"},
        {"UPDATE queue SET absent = 'x' WHERE name = 'new-1'", "something else"},
        {"UPDATE removals SET path = 'packages/../../x' WHERE path LIKE '%old-1'", "illegal path"},
        {"UPDATE removals SET path = 'packages/' WHERE path LIKE '%old-1'", "illegal path"},
        {"UPDATE removals SET path = 'simple/../index.html' WHERE path LIKE 'simple/%'", "illegal"},
        {"UPDATE removals SET path = 'simple/index.html' WHERE path LIKE 'simple/%'", "illegal"},
        {"UPDATE removals SET path = 'simple/a/b' WHERE path LIKE 'simple/%'", "illegal path"},
        {"UPDATE removals SET not_before = 'x'", "something else"},
        {"INSERT INTO removal_record VALUES(9, 1, 'x', 'foo', 1, '', '')", "an unknown kind"},
        {"INSERT INTO removal_record VALUES(9, 1, 'kept', '../', 1, '', '')", "illegal project"},
        {"UPDATE notes SET value = 'x' WHERE name = 'last_modified'", "something else"},
        {"UPDATE notes SET value = -1 WHERE name = 'last_modified'", "the number -1"},
        {"UPDATE notes SET value = 'x' WHERE name = 'cursor'", "something else"},
    }));
    world.sql(sql);
    CAPTURE(sql);
    const std::string complaint = world.complaint();
    CHECK_THAT(complaint, ContainsSubstring(cause));
    CHECK_THAT(complaint, ContainsSubstring(world.path) && ContainsSubstring("it is damaged; run"));
}

TEST_CASE("a state with bytes flipped or pages gone is read or refused, and crashes nobody") {
    World world;
    world.fill(60);
    const std::string good = world.bytes();
    REQUIRE(good.size() > 10 * 4096);
    REQUIRE(world.complaint().empty());
    std::mt19937 random(1);
    int refused = 0;
    for (int n = 0; n < 400; ++n) {
        std::string bad = good;
        for (auto left = 1 + random() % 20; left > 0; --left)
            bad[random() % bad.size()] = static_cast<char>(random());
        if (n % 4 == 1) bad.resize(random() % bad.size());
        if (n % 4 == 2) bad.replace(4096 * (1 + random() % 9), 4096, std::string(4096, '\0'));
        if (bad.empty()) continue;
        world.overwrite(bad);
        if (!world.complaint().empty()) ++refused;
    }
    CHECK(refused > 100);
}
