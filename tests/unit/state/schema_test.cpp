#include "state/schema.h"

#include <sqlite3.h>

#include "pep381d/state/state.h"

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

TEST_CASE("a state of an older version becomes one of this version, with all that it holds") {
    TemporaryDirectory directory;
    const std::string path = directory.path() / "state.db";
    const auto version = GENERATE(range(std::size_t{1}, schema::steps.size()));
    sqlite3* old = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &old) == SQLITE_OK);
    std::string sql = "PRAGMA application_id=1882404913;";
    for (std::size_t step = 0; step < version; ++step) sql += schema::steps[step];
    sql += "PRAGMA user_version=" + std::to_string(version) + R"sql(;
INSERT INTO notes VALUES('cursor', 5);
INSERT INTO projects(name, display, serial, page) VALUES('foo', 'Foo', 3, 2), ('bar', NULL, 4, 1), ('none', NULL, 0, 0);
INSERT INTO queue(name, serial, loss, last_loss, since, soon, absent, candidate) VALUES
  ('bar', 5, 0, 0, 1, 1, NULL, 0), ('gone', 0, 0, 0, 1, 1, 7, 1);
)sql";
    REQUIRE(sqlite3_exec(old, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(old);

    CHECK_THROWS_AS(State(path, State::Access::read), Fatal);
    {
        State state(path, State::Access::write);
        CHECK(state.number(Note::cursor) == 5);
        std::vector<ListedProject> shown(10);
        REQUIRE(state.shown("", shown) == 2);
        CHECK(shown[0].name == "bar");
        CHECK(shown[1].display == "Foo");
        CHECK(state.pending() == 2);
        CHECK(state.absent("", 10) == std::vector<std::string>{"gone"});
        CHECK(state.deletion_candidates() == 1);
    }
    CHECK(State(path, State::Access::read).number(Note::cursor) == 5);
}
