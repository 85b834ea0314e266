#include "pep381d/state/state.h"

#include <algorithm>
#include <array>
#include <limits>
#include <sys/stat.h>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "state/file_row.h"
#include "state/schema.h"
#include "state/sqlite.h"

namespace pep381d {

namespace {

using sqlite::Database;
using sqlite::Statement;

// In the order of Note.
constexpr std::array note_names{"cursor",       "last_poll",   "last_error",   "last_modified",
                                "reconciled",   "list_serial", "root_changes", "root_written",
                                "made_formats", "made_files",  "made_filter",  "remade",
                                "master",       "projects",    "files",        "bytes"};
static_assert(note_names.size() == static_cast<std::size_t>(Note::bytes) + 1);

constexpr int application_id = 0x70333831;  // "p381"

std::int64_t number_of(Time time) {
    return time.time_since_epoch().count();
}
Time time_of(std::int64_t number) {
    return Time(std::chrono::milliseconds(number));
}
std::optional<Time> time_of(std::optional<std::int64_t> number) {
    if (!number) return std::nullopt;
    return time_of(*number);
}

// A state that nobody writes at the moment has no -wal and -shm files, and a reader that may not
// make them can only read it as one that never changes.
std::string read_only_uri(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path)
        uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02x}", c) : std::string(1, c);
    struct stat about {};
    return uri + (stat((path + "-wal").c_str(), &about) == 0 ? "?mode=ro" : "?mode=ro&immutable=1");
}

// The WAL is flushed at every commit: only then may what the commit replaces be removed.
void set_up(Database& database) {
    database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192");
    database.execute("PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF");
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

void migrate(Database& database) {
    for (auto version = pragma(database, "user_version");
         version < static_cast<std::int64_t>(schema::steps.size()); ++version) {
        sqlite::Transaction transaction(database);
        database.execute(schema::steps[static_cast<std::size_t>(version)]);
        database.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                                     application_id, version + 1)
                             .c_str());
        transaction.commit();
    }
}

std::unique_ptr<Database> open_database(const std::string& path, State::Access access) {
    if (access == State::Access::read) {
        auto database = std::make_unique<Database>(read_only_uri(path), path, Database::Mode::read);
        check_owner(*database, path);
        if (pragma(*database, "user_version") != static_cast<std::int64_t>(schema::steps.size()))
            throw Fatal(
                5, fmt::format("state {}: it is of another version; start the daemon once", path));
        return database;
    }
    auto database = std::make_unique<Database>(path, path, Database::Mode::write);
    check_owner(*database, path);
    set_up(*database);
    migrate(*database);
    return database;
}

Queued read_queued(const Statement::Rows& row) {
    const auto name = ProjectName::parse(row.text(0));
    if (!name) throw Fatal(5, "state: it holds an illegal project name; it is damaged");
    Queued queued{*name,
                  row.null(1) ? name->text() : row.text(1),
                  Serial{row.integer(2)},
                  {},
                  {},
                  0,
                  {},
                  {},
                  {},
                  {},
                  {},
                  false};
    queued.loss = static_cast<Loss>(row.integer(3));
    queued.last_loss = static_cast<Loss>(row.integer(4));
    queued.attempts = static_cast<int>(row.integer(5));
    queued.not_before = time_of(row.integer(6));
    queued.first_failed = time_of(row.optional_integer(7));
    queued.loss_seen = time_of(row.optional_integer(8));
    queued.stale_since = time_of(row.optional_integer(9));
    queued.absent = time_of(row.optional_integer(10));
    queued.allowed = row.integer(11) != 0;
    return queued;
}

std::optional<std::string_view> unless_equal(std::string_view display, const ProjectName& name) {
    if (display == name.text()) return std::nullopt;
    return display;
}

std::optional<std::string_view> unless_empty(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return text;
}

constexpr std::array page_formats{"/index.html", "/index.v1_html", "/index.v1_json"};

// What has gone wrong at the master for this long no longer holds back last-modified (design 2.3).
constexpr std::chrono::hours excused_after{1};

}  // namespace

struct State::Impl {
    Impl(const std::string& path, Access access)
        : database(open_database(path, access)), file_rows(*database) {}

    std::unique_ptr<Database> database;
    FileRows file_rows;
    Totals totals;
    std::unordered_map<std::string, Statement> statements;

    // Prepared once, at its first use.
    Statement& sql(const char* text) {
        const auto found = statements.find(text);
        if (found != statements.end()) return found->second;
        return statements.emplace(text, Statement(*database, text)).first->second;
    }

    std::optional<std::int64_t> one(Statement::Rows rows) {
        if (!rows.next()) return std::nullopt;
        return rows.optional_integer(0);
    }

    struct PlacedFile {
        std::int64_t position;
        File file;
    };
    std::vector<PlacedFile> files_of(std::int64_t project);
    void write_files(std::int64_t project, const ProjectPage& page, Time remove_from);
    std::int64_t project_id(const ProjectName& name, std::string_view display);
    std::optional<File> file_of(std::int64_t project, const std::string& name);
    void count(const File& file, int sign);
    void put_down(const std::string& path, Time not_before, std::int64_t after_root = 0);
    void no_removal(const std::string& path);
    bool any_removals = true;
    std::vector<std::string> take_intended(const ProjectName& name);
    bool held_at(Statement::Rows rows, const std::string& path);
};

State::State(const std::string& path, Access access) : impl_(std::make_unique<Impl>(path, access)) {
    impl_->totals = {number(Note::projects).value_or(0), number(Note::files).value_or(0),
                     number(Note::bytes).value_or(0)};
    impl_->any_removals = next_removal().has_value();
}
State::~State() = default;

struct State::Change::Impl {
    explicit Impl(State& owner)
        : state(owner), transaction(*owner.impl_->database), before(owner.impl_->totals) {}
    ~Impl() {
        if (!committed) state.impl_->totals = before;
    }
    State& state;
    sqlite::Transaction transaction;
    Totals before;
    bool committed = false;
};

State::Change::Change(State& state) : impl_(std::make_unique<Impl>(state)) {}
State::Change::~Change() = default;

void State::Change::commit() {
    const Totals& now = impl_->state.impl_->totals;
    if (now.projects != impl_->before.projects) impl_->state.set(Note::projects, now.projects);
    if (now.files != impl_->before.files) impl_->state.set(Note::files, now.files);
    if (now.bytes != impl_->before.bytes) impl_->state.set(Note::bytes, now.bytes);
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
    return time_of(number(note));
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

void State::enqueue(const ProjectName& name, std::string_view display, Serial serial, Loss loss,
                    Time since, bool soon) {
    impl_
        ->sql(R"sql(
INSERT INTO queue(name, display, serial, loss, last_loss, since, soon) VALUES(?1, ?2, ?3, ?4, ?4, ?5, ?6)
ON CONFLICT(name) DO UPDATE SET
  last_loss = CASE WHEN excluded.serial >= serial THEN excluded.loss ELSE last_loss END,
  display = CASE WHEN excluded.serial >= serial THEN excluded.display ELSE display END,
  stale_since = CASE WHEN excluded.serial > serial THEN NULL ELSE stale_since END,
  loss_seen = CASE WHEN excluded.serial > serial THEN NULL ELSE loss_seen END,
  serial = max(serial, excluded.serial), loss = max(loss, excluded.loss),
  soon = max(soon, excluded.soon), not_before = 0
)sql")
        .run(name.text(), unless_equal(display, name), serial.value, static_cast<int>(loss),
             number_of(since), soon);
}

std::vector<Queued> State::due(Time now, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed FROM queue
WHERE soon = 1 AND not_before <= ? ORDER BY not_before LIMIT ?)sql")
                    .rows(number_of(now), static_cast<std::int64_t>(most));
    std::vector<Queued> all;
    while (rows.next()) all.push_back(read_queued(rows));
    return all;
}

std::vector<Queued> State::backlog(std::string_view after, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed FROM queue
WHERE name > ? AND soon = 0 ORDER BY name LIMIT ?)sql")
                    .rows(after, static_cast<std::int64_t>(most));
    std::vector<Queued> all;
    while (rows.next()) all.push_back(read_queued(rows));
    return all;
}

std::optional<Queued> State::queued(const ProjectName& name) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed FROM queue
WHERE name = ?)sql")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return read_queued(rows);
}

void State::postpone(const ProjectName& name, Time not_before, Time now, const Failure& failure) {
    impl_
        ->sql(R"sql(
UPDATE queue SET attempts = attempts + 1, not_before = ?2, soon = 1, first_failed = coalesce(first_failed, ?3),
  fault = ?4, cause = ?5 WHERE name = ?1)sql")
        .run(name.text(), number_of(not_before), number_of(now), static_cast<int>(failure.fault),
             failure.what);
}

void State::note_unexplained_loss(const ProjectName& name, Time seen) {
    impl_->sql("UPDATE queue SET loss_seen = coalesce(loss_seen, ?2) WHERE name = ?1")
        .run(name.text(), number_of(seen));
}

void State::note_stale(const ProjectName& name, Time seen) {
    impl_->sql("UPDATE queue SET stale_since = coalesce(stale_since, ?2) WHERE name = ?1")
        .run(name.text(), number_of(seen));
}

std::vector<std::string> State::absent() {
    auto rows = impl_->sql("SELECT name FROM queue WHERE absent IS NOT NULL").rows();
    std::vector<std::string> all;
    while (rows.next()) all.push_back(rows.text(0));
    return all;
}

void State::note_listed(const std::string& name) {
    impl_->sql("UPDATE queue SET absent = NULL, candidate = 0 WHERE name = ?").run(name);
}

void State::note_absent(const ProjectName& name, Time list) {
    impl_->sql("UPDATE queue SET absent = ?2, not_before = 0, soon = 1 WHERE name = ?1")
        .run(name.text(), number_of(list));
}

void State::note_candidate(const ProjectName& name, bool candidate) {
    impl_->sql("UPDATE queue SET candidate = ?2 WHERE name = ?1").run(name.text(), candidate);
}

void State::hold(const ProjectName& name, Time not_before, Time now, std::string_view cause) {
    impl_
        ->sql(R"sql(
UPDATE queue SET held = 1, attempts = attempts + 1, not_before = ?2, soon = 1, first_failed = coalesce(first_failed, ?3),
  fault = ?4, cause = ?5 WHERE name = ?1)sql")
        .run(name.text(), number_of(not_before), number_of(now), static_cast<int>(Fault::gone),
             cause);
}

std::int64_t State::deletion_candidates() {
    return impl_->one(impl_->sql("SELECT count(*) FROM queue WHERE candidate = 1").rows())
        .value_or(0);
}

std::int64_t State::held() {
    return impl_
        ->one(impl_->sql("SELECT count(*) FROM queue WHERE candidate = 1 AND held = 1").rows())
        .value_or(0);
}

std::int64_t State::allow_held() {
    impl_->sql("UPDATE queue SET allowed = 1, not_before = 0 WHERE candidate = 1 AND held = 1")
        .run();
    return impl_->database->changes();
}

void State::settle(const ProjectName& name, Serial handled) {
    impl_->sql("DELETE FROM queue WHERE name = ? AND serial <= ?").run(name.text(), handled.value);
    // Something newer came in meanwhile: what stands in the backlog is passed by only once.
    if (impl_->database->changes() == 0)
        impl_->sql("UPDATE queue SET soon = 1 WHERE name = ?").run(name.text());
}

void State::retry_all_now() {
    impl_->sql("UPDATE queue SET not_before = 0 WHERE soon = 1 AND not_before > 0").run();
}

std::int64_t State::pending() {
    return impl_->one(impl_->sql("SELECT count(*) FROM queue").rows()).value_or(0);
}

std::int64_t State::failing() {
    return impl_
        ->one(impl_->sql("SELECT count(*) FROM queue WHERE soon = 1 AND attempts > 0").rows())
        .value_or(0);
}

std::vector<FailingProject> State::failing_projects(std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, cause, attempts, not_before FROM queue WHERE soon = 1 AND attempts > 0
ORDER BY name LIMIT ?)sql")
                    .rows(static_cast<std::int64_t>(most));
    std::vector<FailingProject> all;
    while (rows.next())
        all.push_back({rows.text(0), rows.text(1), rows.integer(2), time_of(rows.integer(3))});
    return all;
}

std::optional<std::string> State::cause(const ProjectName& name) {
    auto rows = impl_->sql("SELECT coalesce(cause, 'it was not reached') FROM queue WHERE name = ?")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return rows.text(0);
}

std::optional<Time> State::next_due() {
    return time_of(
        impl_->one(impl_->sql("SELECT min(not_before) FROM queue WHERE soon = 1").rows()));
}

std::optional<Published> State::published(const ProjectName& name) {
    auto rows = impl_->sql("SELECT id, display, serial, page, etag FROM projects WHERE name = ?")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return Published{rows.integer(0),         rows.null(1) ? name.text() : rows.text(1),
                     Serial{rows.integer(2)}, rows.integer(3) > 0,
                     rows.integer(3) == 2,    rows.text(4)};
}

std::vector<State::Impl::PlacedFile> State::Impl::files_of(std::int64_t project) {
    auto rows = sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE project = ?)sql")
                    .rows(project);
    std::vector<PlacedFile> files;
    while (rows.next()) files.push_back({rows.integer(1), file_rows.read(rows)});
    std::stable_sort(files.begin(), files.end(), [](const PlacedFile& a, const PlacedFile& b) {
        return a.position < b.position;
    });
    return files;
}

std::optional<ProjectPage> State::page(const ProjectName& name) {
    std::int64_t id = 0;
    ProjectPage page{name, {}, {}, {}, {}, {}};
    {
        auto rows =
            impl_
                ->sql(
                    "SELECT id, serial, status, reason, meta, members FROM projects WHERE name = ?")
                .rows(name.text());
        if (!rows.next()) return std::nullopt;
        id = rows.integer(0);
        page.serial = Serial{rows.integer(1)};
        page.status = {rows.text(2), rows.text(3)};
        page.meta_members = rows.text(4);
        page.members = rows.text(5);
    }
    for (auto& [position, file] : impl_->files_of(id)) page.files.push_back(std::move(file));
    return page;
}

std::int64_t State::Impl::project_id(const ProjectName& name, std::string_view display) {
    if (const auto id = one(sql("SELECT id FROM projects WHERE name = ?").rows(name.text())))
        return *id;
    sql("INSERT INTO projects(name, display, serial, page) VALUES(?, ?, 0, 0)")
        .run(name.text(), unless_equal(display, name));
    return database->last_row();
}

std::optional<File> State::Impl::file_of(std::int64_t project, const std::string& name) {
    auto rows = sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE project = ? AND name = ?)sql")
                    .rows(project, name);
    if (!rows.next()) return std::nullopt;
    return file_rows.read(rows);
}

void State::Impl::count(const File& file, int sign) {
    if (!file.held) return;
    totals.files += sign;
    totals.bytes += sign * file.size.value_or(0);
}

void State::record_file(const ProjectName& name, std::string_view display, const File& file) {
    const std::int64_t id = impl_->project_id(name, display);
    // Where it stands on the page is not known yet; the page that follows says it.
    constexpr std::int64_t at_the_end = 1'000'000;
    if (const auto old = impl_->file_of(id, file.name.text())) {
        // The page that is shown links to the other place still: the page that follows settles it.
        if (old->held && old->path != file.path) return;
        impl_->count(*old, -1);
    }
    impl_->file_rows.write(id, at_the_end, file);
    impl_->count(file, 1);
    for (const std::string& path : {file.path, file.path + ".metadata"}) {
        if (path != file.path && !file.metadata_held) continue;
        impl_->no_removal(path);
        not_placed(name, path);
    }
}

void State::intend(const ProjectName& name, const std::string& path) {
    impl_->sql("INSERT OR IGNORE INTO intended(project, path) VALUES(?, ?)").run(name.text(), path);
}

bool State::any_intended() {
    return impl_->one(impl_->sql("SELECT 1 FROM intended LIMIT 1").rows()).has_value();
}

void State::not_placed(const ProjectName& name, const std::string& path) {
    impl_->sql("DELETE FROM intended WHERE project = ? AND path = ?").run(name.text(), path);
}

std::vector<std::string> State::Impl::take_intended(const ProjectName& name) {
    std::vector<std::string> paths;
    {
        auto rows = sql("SELECT path FROM intended WHERE project = ?").rows(name.text());
        while (rows.next()) paths.push_back(rows.text(0));
    }
    if (!paths.empty()) sql("DELETE FROM intended WHERE project = ?").run(name.text());
    return paths;
}

void State::share(const std::string& path) {
    impl_->sql("INSERT OR IGNORE INTO shared(path) VALUES(?)").run(path);
}

bool State::shared(const std::string& path) {
    return impl_->one(impl_->sql("SELECT 1 FROM shared WHERE path = ?").rows(path)).has_value();
}

bool State::Impl::held_at(Statement::Rows rows, const std::string& path) {
    while (rows.next()) {
        const File file = file_rows.read(rows);
        if (file.held && file.path == path) return true;
        if (file.metadata_held && file.path + ".metadata" == path) return true;
    }
    return false;
}

bool State::owned(const std::string& path) {
    // The file's own name, or that of the file whose companion it is.
    const std::string name = path.substr(path.rfind('/') + 1);
    const std::string stem = name.ends_with(".metadata") ? name.substr(0, name.size() - 9) : name;
    return impl_->held_at(impl_
                              ->sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE name IN (?, ?))sql")
                              .rows(name, stem),
                          path);
}

bool State::holds(const ProjectName& name, const std::string& path) {
    const auto known = published(name);
    if (!known) return false;
    return impl_->held_at(impl_
                              ->sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE project = ?)sql")
                              .rows(known->id),
                          path);
}

void State::Impl::put_down(const std::string& path, Time not_before, std::int64_t after_root) {
    sql("INSERT OR REPLACE INTO removals(path, not_before, after_root) VALUES(?, ?, ?)")
        .run(path, number_of(not_before), after_root);
    any_removals = true;
}

// What is published again is no longer to be removed. Most of the time there is nothing to be
// removed at all.
void State::Impl::no_removal(const std::string& path) {
    if (any_removals) sql("DELETE FROM removals WHERE path = ?").run(path);
}

void State::Impl::write_files(std::int64_t project, const ProjectPage& page, Time remove_from) {
    std::unordered_map<std::string, PlacedFile> known;
    for (PlacedFile& placed : files_of(project)) {
        std::string name = placed.file.name.text();
        known.emplace(std::move(name), std::move(placed));
    }
    std::unordered_set<std::string> kept;
    for (const File& file : page.files) {
        if (file.held) kept.insert(file.path);
        if (file.metadata_held) kept.insert(file.path + ".metadata");
    }
    const auto leave = [&](const File& old) {
        count(old, -1);
        for (const std::string& path : {old.path, old.path + ".metadata"}) {
            const bool ours = path == old.path ? old.held : old.metadata_held;
            if (ours && kept.count(path) == 0) put_down(path, remove_from);
        }
    };

    std::int64_t position = 0;
    for (const File& file : page.files) {
        const auto old = known.find(file.name.text());
        const bool same =
            old != known.end() && old->second.position == position && old->second.file == file;
        if (old != known.end()) {
            if (!same) leave(old->second.file);
            known.erase(old);
        }
        if (!same) {
            file_rows.write(project, position, file);
            count(file, 1);
        }
        ++position;
    }
    for (const std::string& path : kept) no_removal(path);
    for (const std::string& path : take_intended(page.name))
        if (kept.count(path) == 0) put_down(path, Time{});
    for (const auto& [name, placed] : known) {
        leave(placed.file);
        sql("DELETE FROM files WHERE project = ? AND name = ?").run(project, name);
    }
}

void State::record_page(const ProjectPage& page, std::string_view display, std::string_view etag,
                        Time remove_from) {
    const std::int64_t id = impl_->project_id(page.name, display);
    impl_->write_files(id, page, remove_from);
    const bool listed = !page.quarantined();
    const auto before =
        impl_->one(impl_->sql("SELECT page FROM projects WHERE id = ?").rows(id)).value_or(0);
    impl_->totals.projects += (listed ? 1 : 0) - (before == 2 ? 1 : 0);
    impl_
        ->sql(R"sql(
UPDATE projects SET display = ?2, serial = ?3, page = ?4, etag = ?5, status = ?6, reason = ?7, meta = ?8, members = ?9
WHERE id = ?1)sql")
        .run(id, unless_equal(display, page.name), page.serial.value, listed ? 2 : 1, etag,
             unless_empty(page.status.status), unless_empty(page.status.reason),
             unless_empty(page.meta_members), unless_empty(page.members));
    for (const char* format : page_formats)
        impl_->no_removal("simple/" + page.name.text() + format);
    set(Note::root_changes, number(Note::root_changes).value_or(0) + 1);
}

void State::rename(const ProjectName& name, std::string_view display) {
    impl_->sql("UPDATE projects SET display = ? WHERE name = ?")
        .run(unless_equal(display, name), name.text());
    set(Note::root_changes, number(Note::root_changes).value_or(0) + 1);
}

void State::drop_project(const ProjectName& name) {
    const auto change = number(Note::root_changes).value_or(0) + 1;
    set(Note::root_changes, change);
    // Where a kill came between them, a page may be shown that was never recorded.
    for (const char* format : page_formats)
        impl_->put_down("simple/" + name.text() + format, Time{}, change);
    for (const std::string& path : impl_->take_intended(name))
        impl_->put_down(path, Time{}, change);
    clear_skipped(name);
    const auto known = published(name);
    if (!known) return;
    for (const auto& [position, file] : impl_->files_of(known->id)) {
        impl_->count(file, -1);
        if (file.held) impl_->put_down(file.path, Time{}, change);
        if (file.metadata_held) impl_->put_down(file.path + ".metadata", Time{}, change);
    }
    impl_->sql("DELETE FROM files WHERE project = ?").run(known->id);
    impl_->sql("DELETE FROM projects WHERE id = ?").run(known->id);
    if (known->listed) --impl_->totals.projects;
}

void State::for_each_project(const std::function<void(std::string_view, const Published&)>& visit) {
    auto rows =
        impl_
            ->sql(
                "SELECT id, name, display, serial, page FROM projects WHERE page > 0 ORDER BY name")
            .rows();
    Published project;
    while (rows.next()) {
        const std::string name = rows.text(1);
        project.id = rows.integer(0);
        project.display = rows.null(2) ? name : rows.text(2);
        project.serial = Serial{rows.integer(3)};
        project.page = true;
        project.listed = rows.integer(4) == 2;
        visit(name, project);
    }
}

std::vector<ProjectName> State::projects_after(std::string_view name, std::size_t most) {
    auto rows =
        impl_->sql("SELECT name FROM projects WHERE page > 0 AND name > ? ORDER BY name LIMIT ?")
            .rows(name, static_cast<std::int64_t>(most));
    std::vector<ProjectName> all;
    while (rows.next())
        if (const auto parsed = ProjectName::parse(rows.text(0))) all.push_back(*parsed);
    return all;
}

void State::forget_etags() {
    impl_->sql("UPDATE projects SET etag = '' WHERE etag <> ''").run();
}

Totals State::totals() const {
    return impl_->totals;
}

void State::put_down(const std::string& path, Time not_before) {
    impl_->put_down(path, not_before);
}

std::vector<std::string> State::pages_to_remove(std::int64_t root_written) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT path FROM removals WHERE path >= 'simple/' AND path < 'simple0' AND after_root <= ? LIMIT 10000)sql")
                    .rows(root_written);
    std::vector<std::string> all;
    while (rows.next()) all.push_back(rows.text(0));
    return all;
}

bool State::pages_wait_for_root(std::int64_t root_written) {
    return impl_
        ->one(impl_
                  ->sql("SELECT 1 FROM removals WHERE path >= 'simple/' AND path < 'simple0' AND "
                        "after_root > ? LIMIT 1")
                  .rows(root_written))
        .has_value();
}

std::vector<std::string> State::files_to_remove(Time now, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT path FROM removals WHERE path >= 'packages/' AND path < 'packages0' AND not_before <= ?1 AND after_root <
  (SELECT coalesce(min(after_root), 9223372036854775807) FROM removals WHERE path >= 'simple/' AND path < 'simple0'
    AND after_root > 0)
LIMIT ?2)sql")
                    .rows(number_of(now), static_cast<std::int64_t>(most));
    std::vector<std::string> all;
    while (rows.next()) all.push_back(rows.text(0));
    return all;
}

std::optional<Time> State::next_removal() {
    return time_of(impl_->one(impl_->sql("SELECT min(not_before) FROM removals").rows()));
}

void State::removed(const std::string& path) {
    impl_->sql("DELETE FROM removals WHERE path = ?").run(path);
}

void State::record_poll(Time began) {
    impl_->sql("INSERT OR IGNORE INTO polls(began) VALUES(?)").run(number_of(began));
}

std::optional<Time> State::handled_until(Time now) {
    const auto oldest =
        impl_->one(impl_
                       ->sql(R"sql(
SELECT min(since) FROM queue WHERE NOT (attempts > 0 AND fault IN (?1, ?2, ?3) AND first_failed <= ?4))sql")
                       .rows(static_cast<int>(Fault::gone), static_cast<int>(Fault::corrupt),
                             static_cast<int>(Fault::refused), number_of(now - excused_after)));
    constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();
    const auto newest = impl_->one(
        impl_->sql("SELECT max(began) FROM polls WHERE began < ?").rows(oldest.value_or(for_ever)));
    if (newest) impl_->sql("DELETE FROM polls WHERE began < ?").run(*newest);
    return time_of(newest);
}

void State::skip(std::string_view project, std::string_view file, std::string_view cause) {
    constexpr std::int64_t most = 10'000;
    if (impl_->one(impl_->sql("SELECT count(*) FROM skipped").rows()).value_or(0) >= most) return;
    impl_->sql("INSERT OR REPLACE INTO skipped(project, file, cause) VALUES(?, ?, ?)")
        .run(project, file, cause);
}

void State::clear_skipped(const ProjectName& project) {
    impl_->sql("DELETE FROM skipped WHERE project = ?").run(project.text());
}

std::vector<SkippedItem> State::skipped(std::size_t most) {
    auto rows = impl_->sql("SELECT project, file, cause FROM skipped LIMIT ?")
                    .rows(static_cast<std::int64_t>(most));
    std::vector<SkippedItem> all;
    while (rows.next())
        all.push_back({rows.text(1).empty() ? rows.text(0) : rows.text(0) + ": " + rows.text(1),
                       rows.text(2)});
    return all;
}

}  // namespace pep381d
