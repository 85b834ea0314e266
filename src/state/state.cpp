#include "pep381d/state/state.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pep381d/base/descriptor.h"
#include "pep381d/state/damage.h"

#include "state/impl.h"
#include "state/schema.h"
#include "state/sqlite.h"

namespace pep381d {

namespace {

using sqlite::Database;
using sqlite::Statement;

// In the order of Note.
constexpr std::array note_names{"cursor",
                                "last_poll",
                                "last_error",
                                "last_modified",
                                "reconciled",
                                "list_serial",
                                "root_changes",
                                "root_written",
                                "made_formats",
                                "made_files",
                                "made_filter",
                                "remade",
                                "master",
                                "projects",
                                "files",
                                "bytes",
                                "shortage",
                                "verify_began",
                                "verify_walked",
                                "verify_looked",
                                "scrub_began",
                                "scrub_walked",
                                "verified",
                                "damages",
                                "newest_damage",
                                "reconcile_queued",
                                "reconcile_absent",
                                "sweep_began",
                                "sweep_place",
                                "sweep_asked",
                                "sweep_found",
                                "swept",
                                "swept_found",
                                "protocol",
                                "numbering",
                                "journal_time",
                                "root_etag",
                                "root_serial",
                                "undated",
                                "dated",
                                "dated_gone",
                                "dated_looks",
                                "made_deletes",
                                "server_keys",
                                "master_key",
                                "master_key_due",
                                "master_key_gone",
                                "master_key_looks",
                                "master_key_refused",
                                "older_tree",
                                "changes"};
static_assert(note_names.size() == static_cast<std::size_t>(Note::changes) + 1);

constexpr int application_id = 0x70333831;  // "p381"

// A state that nobody writes at the moment has no -wal and -shm files, and a reader that may not
// make them can only read it as one that never changes.
std::string read_only_uri(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path)
        uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02x}", c) : std::string(1, c);
    struct stat about {};
    return uri + (stat((path + "-wal").c_str(), &about) == 0 ? "?mode=ro" : "?mode=ro&immutable=1");
}

// The WAL is flushed at every commit: only then may what the commit replaces be removed. EXTRA is
// FULL for a WAL; a new database becomes one with a WAL by way of a journal, and were the removal
// of that lost in a power cut, it would undo the database and all that the WAL has. The room that a
// large commit took in it is given back once it is in the database.
void set_up(Database& database) {
    database.execute("PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL; PRAGMA cache_size=-8192");
    database.execute("PRAGMA journal_size_limit=8388608; PRAGMA foreign_keys=OFF");
    database.execute("PRAGMA cell_size_check=ON");  // damage is met before it is believed
}

std::int64_t pragma(Database& database, const char* name) {
    Statement statement = database.prepare(fmt::format("PRAGMA {}", name).c_str());
    auto rows = statement.rows();
    return rows.next() ? rows.integer(0) : 0;
}

void check_owner(Database& database, const std::string& path) {
    const auto version = pragma(database, "user_version");
    const auto owner = pragma(database, "application_id");
    if (version == 0 && owner == 0 && pragma(database, "schema_version") == 0) return;
    if (owner != application_id)
        throw Fatal(
            5,
            fmt::format("state {}: it belongs to another program; set state.file to another path",
                        path));
    if (version > static_cast<std::int64_t>(schema::steps.size()))
        throw Fatal(
            5, fmt::format("state {}: it was written by a newer pep381d; install that one", path));
}

// What the tables of before hold of misnamed files.
void find_misnamed(Database& database) {
    Statement files = database.prepare(
        "SELECT f.name, path, held, p.name, p.id FROM files f JOIN projects p ON id = project "
        "WHERE held > 0");
    Statement note = database.prepare("INSERT INTO misnamed(path, project) VALUES(?, ?)");
    auto rows = files.rows();
    while (rows.next())
        if (const auto project = ProjectName::parse(rows.view(3));
            project && !speaks_of(rows.view(0), *project))
            note.run(FileRows::read_held(rows).path, rows.integer(4));
}

// All steps or none.
void migrate(Database& database) {
    const auto version = static_cast<std::size_t>(pragma(database, "user_version"));
    if (version == schema::steps.size()) return;
    sqlite::Transaction transaction(database);
    for (std::size_t step = version; step < schema::steps.size(); ++step)
        database.execute(schema::steps[step]);
    if (version < schema::misnamed_since) find_misnamed(database);
    database.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", application_id,
                                 schema::steps.size())
                         .c_str());
    transaction.commit();
}

// Asked before SQLite is, which makes a new state of an empty file.
bool is_there(const std::string& path) {
    struct stat about {};
    if (stat(path.c_str(), &about) != 0) {
        if (errno == ENOENT && lstat(path.c_str(), &about) != 0) return false;
        if (errno == ENOENT)
            throw Fatal(5, fmt::format("state {}: it is a symbolic link that leads nowhere; mount "
                                       "what it leads to, or set state.file to a file",
                                       path));
        throw Fatal(5, fmt::format("state {}: {}; the mirror's user must be able to read it", path,
                                   std::strerror(errno)));
    }
    if (!S_ISREG(about.st_mode))
        throw Fatal(5, fmt::format("state {}: it is no file; set state.file to one", path));
    if (about.st_size == 0)
        throw StateDamaged(fmt::format("state {}: it is empty; {}", path, adopt_anew));
    return true;
}

void remove_all(const std::string& path, std::initializer_list<const char*> suffixes) {
    for (const char* suffix : suffixes) unlink((path + suffix).c_str());
}

// Under another name until it is whole: an empty file at `path` is never our doing. SQLite would
// play back into it what is left of an older one that somebody removed.
void create_database(const std::string& path) {
    const std::string fresh = path + ".new";
    remove_all(fresh, {"", "-journal", "-wal", "-shm"});
    {
        Database database(fresh, path, Database::Mode::write);
        migrate(database);
    }
    remove_all(path, {"-journal", "-wal", "-shm"});
    if (std::rename(fresh.c_str(), path.c_str()) != 0)
        throw Fatal(5, fmt::format("state {}: {}; the mirror's user must be able to write there",
                                   path, std::strerror(errno)));
    const auto slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Descriptor above(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (above) fsync(above.get());
}

// SQLite would open what it may not write for reading, and make a -shm beside it that nobody may
// write either: then it would not be enough to make the state writable again.
void check_writable(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
        const std::string file = path + suffix;
        if (access(file.c_str(), W_OK) != 0 && errno != ENOENT)
            throw Fatal(5, fmt::format("state {}: {}; the mirror's user must be able to write it",
                                       file, std::strerror(errno)));
    }
}

std::unique_ptr<Database> open_database(const std::string& path, State::Access access) {
    const bool there = is_there(path);
    if (access == State::Access::read) {
        if (!there)
            throw Fatal(5, fmt::format("state {}: there is none; run `pep381d sync` first", path));
        auto database = std::make_unique<Database>(read_only_uri(path), path, Database::Mode::read);
        check_owner(*database, path);
        if (pragma(*database, "user_version") != static_cast<std::int64_t>(schema::steps.size()))
            throw Fatal(
                5, fmt::format("state {}: it is of another version; start the daemon once", path));
        return database;
    }
    if (there) check_writable(path);
    if (!there) create_database(path);
    auto database = std::make_unique<Database>(path, path, Database::Mode::write);
    check_owner(*database, path);
    set_up(*database);
    migrate(*database);
    // Only now: a migration sorts what may not fit into memory.
    database->execute("PRAGMA temp_store=MEMORY");
    return database;
}

// The index of the WAL is mapped, and where a page of it has no room, a full disk would be a
// SIGBUS. SQLite sees to that only where a block of the file system has 4 KiB or more. This is
// enough for a WAL of 130 MiB.
Descriptor reserve_index(const std::string& path) {
    constexpr off_t size = 256 << 10;
    Descriptor index(open((path + "-shm").c_str(), O_RDWR | O_CLOEXEC));
    if (index && fallocate(index.get(), FALLOC_FL_KEEP_SIZE, 0, size) != 0 &&
        (errno == ENOSPC || errno == EDQUOT))
        throw DiskFull(
            fmt::format("state {}-shm: {}; free some space there", path, std::strerror(errno)));
    return index;
}

}  // namespace

State::Impl::Impl(const std::string& path, Access access)
    : database(open_database(path, access)), file_rows(*database) {
    if (access == Access::write) index = reserve_index(path);
}

State::State(const std::string& path, Access access) : impl_(std::make_unique<Impl>(path, access)) {
    impl_->counts.totals = {number(Note::projects).value_or(0), number(Note::files).value_or(0),
                            number(Note::bytes).value_or(0)};
    impl_->any_removals = next_removal().has_value();
}
State::~State() = default;

struct State::Change::Impl {
    explicit Impl(State& owner)
        : state(owner), transaction(*owner.impl_->database), before(owner.impl_->counts) {}
    ~Impl() {
        if (committed) return;
        state.impl_->counts = before;
        state.impl_->file_rows.undone();
    }
    State& state;
    sqlite::Transaction transaction;
    State::Impl::Counts before;
    bool committed = false;
};

State::Change::Change(State& state) : impl_(std::make_unique<Impl>(state)) {}
State::Change::~Change() = default;

void State::Change::commit() {
    const Totals& now = impl_->state.impl_->counts.totals;
    const Totals& before = impl_->before.totals;
    if (now.projects != before.projects) impl_->state.set(Note::projects, now.projects);
    if (now.files != before.files) impl_->state.set(Note::files, now.files);
    if (now.bytes != before.bytes) impl_->state.set(Note::bytes, now.bytes);
    impl_->transaction.commit();
    impl_->committed = true;
}

std::optional<std::string> State::text(Note note) {
    auto rows = impl_->sql("SELECT value FROM notes WHERE name = ?")
                    .rows(note_names[static_cast<std::size_t>(note)]);
    if (!rows.next()) return std::nullopt;
    return rows.text(0);
}

std::optional<std::int64_t> State::number(Note note) {
    return impl_->one(impl_->sql("SELECT value FROM notes WHERE name = ?")
                          .rows(note_names[static_cast<std::size_t>(note)]));
}

std::optional<Time> State::time(Note note) {
    return impl_->time(impl_->sql("SELECT value FROM notes WHERE name = ?")
                           .rows(note_names[static_cast<std::size_t>(note)]));
}

void State::set(Note note, std::string_view value) {
    impl_->sql("INSERT OR REPLACE INTO notes(name, value) VALUES(?, ?)")
        .run(note_names[static_cast<std::size_t>(note)], value);
}
void State::set(Note note, std::int64_t value) {
    impl_->sql("INSERT OR REPLACE INTO notes(name, value) VALUES(?, ?)")
        .run(note_names[static_cast<std::size_t>(note)], value);
}
void State::set(Note note, Time value) {
    set(note, number_of(value));
}

void State::unset(Note note) {
    impl_->sql("DELETE FROM notes WHERE name = ?").run(note_names[static_cast<std::size_t>(note)]);
}

void State::begin_anew() {
    std::vector<std::string> tables;
    {
        // The rows of `origins` are known by their numbers in memory, too.
        auto rows = impl_
                        ->sql(
                            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN "
                            "('removal_record', 'origins')")
                        .rows();
        while (rows.next()) tables.push_back(rows.text(0));
    }
    for (const std::string& table : tables)
        impl_->database->execute(("DELETE FROM " + table).c_str());
    impl_->counts = {};
    impl_->any_removals = false;
}

bool State::whole() {
    auto rows = impl_->sql("PRAGMA quick_check(1)").rows();
    return rows.next() && rows.view(0) == "ok";
}

Totals State::totals() const {
    return impl_->counts.totals;
}

}  // namespace pep381d
