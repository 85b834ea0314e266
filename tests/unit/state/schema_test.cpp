#include "state/schema.h"

#include <sqlite3.h>

#include "pep381d/state/state.h"

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

// Rows of every table that a state of the first version has.
constexpr const char* rows = R"sql(
INSERT INTO notes VALUES('cursor', 5), ('projects', 1), ('files', 3), ('bytes', 30), ('root_changes', 4),
  ('last_modified', 1700000000000), ('made_formats', 'html json');
INSERT INTO projects(name, display, serial, page, etag, status, meta) VALUES
  ('foo', 'Foo', 3, 2, '"e"', 'archived', '"api-version":"1.4"'), ('bar', NULL, 4, 1, '', NULL, NULL),
  ('none', NULL, 0, 0, NULL, NULL, NULL);
INSERT INTO origins VALUES(1, 'https://files.example/');
INSERT INTO files(project, name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked) VALUES
  (1, 'foo-1.0-py3-none-any.whl', 1, zeroblob(32), 1, zeroblob(32), 10, 3, zeroblob(32), 1600000000000000, '>=3', 'bad'),
  (1, 'foo-1.0.tar.gz', 0, 'packages/old/foo-1.0.tar.gz', 'https://x.example/foo', 'md5=' || hex(zeroblob(16)), 20, 1,
   NULL, NULL, NULL, 1),
  (2, 'called-otherwise.zip', 0, 'packages/old/called-otherwise.zip', 'https://x.example/bar', NULL, 0, 1,
   NULL, NULL, NULL, NULL);
INSERT INTO queue(name, serial, loss, last_loss, since, soon, absent, candidate, attempts, cause, fault, first_failed) VALUES
  ('bar', 5, 0, 0, 1, 1, NULL, 0, 2, '404', 1, 7), ('gone', 0, 0, 0, 1, 1, 7, 1, 0, NULL, NULL, NULL);
INSERT INTO removals(path, not_before, after_root) VALUES('packages/aa/x', 5, 0), ('simple/old/index.html', 0, 1);
INSERT INTO intended VALUES('foo', 'packages/aa/y');
INSERT INTO shared VALUES('packages/aa/z');
INSERT INTO polls(began) VALUES(9);
INSERT INTO skipped VALUES('../x', '', 'illegal');
)sql";

void make(const std::string& path, std::size_t version) {
    sqlite3* old = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &old) == SQLITE_OK);
    std::string sql = "PRAGMA application_id=1882404913;";
    for (std::size_t step = 0; step < version; ++step) sql += schema::steps[step];
    sql += "PRAGMA user_version=" + std::to_string(version) + ";" + rows;
    CHECK(sqlite3_exec(old, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(std::string(sqlite3_errmsg(old)) == "not an error");
    sqlite3_close(old);
}

void check_files(State& state) {
    const auto page = state.page(*ProjectName::parse("foo"));
    REQUIRE(page);
    CHECK(page->status.status == "archived");
    REQUIRE(page->files.size() == 2);
    const File& sdist = page->files[0];
    CHECK(sdist.url == "https://x.example/foo");
    CHECK(sdist.path == "packages/old/foo-1.0.tar.gz");
    CHECK(sdist.digests[0].algorithm == Algorithm::md5);
    CHECK(sdist.yanked);
    CHECK_FALSE(sdist.metadata_held);
    const File& wheel = page->files[1];
    CHECK_THAT(wheel.url, ContainsSubstring("https://files.example/packages/00/00/0000"));
    CHECK(wheel.core_metadata.sha256 == std::string(32, '\0'));
    CHECK(wheel.yanked_reason == "bad");
    CHECK(state.owned(sdist.path));
    CHECK(state.owned("packages/old/called-otherwise.zip"));
    CHECK((wheel.held && wheel.metadata_held && wheel.size == 10));
}

void check_queue(State& state) {
    CHECK(state.pending() == 2);
    CHECK(state.failing() == 1);
    CHECK(state.cause(*ProjectName::parse("bar")) == "404");
    CHECK(state.queued(*ProjectName::parse("bar"))->attempts == 2);
    CHECK(state.absent("", 10) == std::vector<std::string>{"gone"});
    CHECK(state.deletion_candidates() == 1);
    CHECK(state.pages_to_remove(1) == std::vector<std::string>{"simple/old/index.html"});
    CHECK_FALSE(state.intended().empty());
    CHECK(state.skipped(10).size() == 1);
}

void check_record(State& state) {
    const RemovalRecord line{Time{},    RemovalKind::quarantined,    "foo",
                             Serial{8}, "a \"cause\"\nof two lines", {"packages/a", "packages/b"}};
    State::Change change(state);
    state.record_removal(line);
    change.commit();
    std::vector<RemovalRecord> found;
    state.for_each_removal([&](const RemovalRecord& removal) { found.push_back(removal); });
    CHECK(found == std::vector{line});
}

void check_copies(State& state) {
    const auto foo = *ProjectName::parse("foo");
    CHECK_FALSE(state.copied(foo));
    const CopiedPage copy{10, std::string(32, '\x01'), "signature"};
    State::Change change(state);
    state.record_page(*state.page(foo), "Foo", "", Time{}, copy);
    change.commit();
    CHECK(state.copied(foo) == copy);
}

void check_etags(State& state) {
    auto page = *state.page(*ProjectName::parse("foo"));
    CHECK((page.files[0].etag.empty() && page.files[1].etag.empty()));
    page.files[0].etag = "W/\"1\"";
    State::Change change(state);
    state.record_page(page, "Foo", "", Time{});
    change.commit();
    CHECK(state.page(page.name) == page);
}

std::string try_sql(const std::string& path, const char* sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
    const std::string said = sqlite3_errmsg(database);
    sqlite3_close(database);
    return said;
}

}  // namespace

TEST_CASE("a state of an older version becomes one of this version, with all that it holds") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    const auto version = GENERATE(range(std::size_t{1}, schema::steps.size()));
    CAPTURE(version);
    make(path, version);
    CHECK_THROWS_AS(State(path, State::Access::read), Fatal);
    {
        State state(path, State::Access::write);
        CHECK(state.number(Note::cursor) == 5);
        CHECK(state.totals().bytes == 30);
        std::vector<ListedProject> shown(10);
        REQUIRE(state.shown("", shown) == 2);
        CHECK(shown[0].name == "bar");
        CHECK(shown[1].display == "Foo");
        check_files(state);
        check_queue(state);
        check_record(state);
        check_copies(state);
        check_etags(state);
        CHECK(state.whole());
    }
    CHECK(State(path, State::Access::read).number(Note::cursor) == 5);
}

TEST_CASE("the record of removals is only added to, whoever writes") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    {
        State state(path, State::Access::write);
        check_record(state);
    }
    CHECK_THAT(try_sql(path, "DELETE FROM removal_record"), ContainsSubstring("only added to"));
    CHECK_THAT(try_sql(path, "UPDATE removal_record SET project = 'bar'"),
               ContainsSubstring("only added to"));
    int count = 0;
    State(path, State::Access::read).for_each_removal([&](const RemovalRecord&) { ++count; });
    CHECK(count == 1);
}

TEST_CASE("a migration that a kill cut off leaves the older version, whole") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    make(path, 1);
    {
        // The step's own table stands in the way of a part of it: all of it is undone.
        sqlite3* old = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &old) == SQLITE_OK);
        sqlite3_exec(old, "CREATE INDEX queue_absent ON queue(since)", nullptr, nullptr, nullptr);
        sqlite3_close(old);
    }
    CHECK_THROWS_AS(State(path, State::Access::write), Fatal);
    sqlite3* old = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &old) == SQLITE_OK);
    CHECK(sqlite3_exec(old, "DROP INDEX queue_absent", nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_exec(old, "DROP INDEX projects_shown", nullptr, nullptr, nullptr) != SQLITE_OK);
    sqlite3_close(old);
    State state(path, State::Access::write);
    check_queue(state);
}
