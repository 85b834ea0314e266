#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_set>

#include "pep381d/model/file_index.h"
#include "pep381d/model/file_path.h"

#include "state/impl.h"

namespace pep381d {

namespace {

using sqlite::Statement;

std::optional<std::string_view> unless_empty(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return text;
}

constexpr std::array page_formats{"/index.html", "/index.v1_html", "/index.v1_json"};

// What is to be removed: nothing but a page or a file of ours, whatever stands there.
std::string page_in(const Statement::Rows& row) {
    std::string path = row.text(0);
    const auto slash = path.rfind('/');
    const std::string_view name = std::string_view(path).substr(0, slash);
    constexpr std::string_view above = "simple/";
    const bool format = slash != std::string::npos &&
                        std::find(page_formats.begin(), page_formats.end(), path.substr(slash)) !=
                            page_formats.end();
    const auto project = ProjectName::parse(name.substr(std::min(name.size(), above.size())));
    if (!format || !project || name != std::string(above) + project->text())
        row.damaged("it names an illegal path");
    return path;
}

std::string file_in(const Statement::Rows& row) {
    if (!legal_file_path(row.view(0))) row.damaged("it names an illegal path");
    return row.text(0);
}

}  // namespace

// The paths of what is held of a page. Most pages are recorded without asking for one.
class State::Impl::KeptPaths {
  public:
    explicit KeptPaths(const ProjectPage& page) : page_(page) {}

    const std::unordered_set<std::string>& all() {
        if (!gathered_)
            for (const File& file : page_.files) {
                if (file.held) paths_.insert(file.path);
                if (file.metadata_held) paths_.insert(file.path + ".metadata");
            }
        gathered_ = true;
        return paths_;
    }
    bool contains(const std::string& path) { return all().contains(path); }

  private:
    const ProjectPage& page_;
    std::unordered_set<std::string> paths_;
    bool gathered_ = false;
};

std::optional<Published> State::published(const ProjectName& name) {
    auto rows = impl_->sql("SELECT id, display, serial, page, etag FROM projects WHERE name = ?")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return Published{rows.integer(0),      rows.null(1) ? name.text() : rows.text(1),
                     serial_in(rows, 2),   rows.integer(3, 0, 2) > 0,
                     rows.integer(3) == 2, rows.text(4)};
}

State::Impl::PlacedFiles State::Impl::files_of(std::int64_t project) {
    auto rows = sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE project = ?)sql")
                    .rows(project);
    std::vector<std::pair<std::int64_t, std::size_t>> order;  // position, index by name
    std::vector<File> by_name;
    while (rows.next()) {
        order.emplace_back(rows.integer(1), by_name.size());
        by_name.push_back(file_rows.read(rows));
    }
    std::sort(order.begin(), order.end());
    PlacedFiles placed;
    placed.files.reserve(order.size());
    placed.positions.reserve(order.size());
    for (const auto& [position, i] : order) {
        placed.files.push_back(std::move(by_name[i]));
        placed.positions.push_back(position);
    }
    return placed;
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
        page.serial = serial_in(rows, 1);
        page.status = {rows.text(2), rows.text(3)};
        page.meta_members = rows.text(4);
        page.members = rows.text(5);
    }
    page.files = impl_->files_of(id).files;
    return page;
}

State::Impl::ProjectRow State::Impl::project_row(const ProjectName& name,
                                                 std::string_view display) {
    {
        auto rows = sql("SELECT id, page FROM projects WHERE name = ?").rows(name.text());
        if (rows.next()) return {rows.integer(0), rows.integer(1, 0, 2), false};
    }
    sql("INSERT INTO projects(name, display, serial, page) VALUES(?, ?, 0, 0)")
        .run(name.text(), unless_equal(display, name.text()));
    return {database->last_row(), 0, true};
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
    counts.totals.files += sign;
    counts.totals.bytes += sign * file.size.value_or(0);
}

void State::record_file(const ProjectName& name, std::string_view display, const File& file) {
    const std::int64_t id = impl_->project_row(name, display).id;
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

bool State::files_may_be_unknown() {
    return !time(Note::last_modified) || any_intended();
}

void State::not_placed(const ProjectName& name, const std::string& path) {
    impl_->sql("DELETE FROM intended WHERE project = ? AND path = ?").run(name.text(), path);
}

std::vector<std::string> State::Impl::take_intended(const ProjectName& name) {
    std::vector<std::string> paths;
    {
        auto rows = sql("SELECT path FROM intended WHERE project = ?").rows(name.text());
        while (rows.next()) paths.push_back(file_in(rows));
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

bool State::Impl::held_at(Statement::Rows rows, const std::string& path,
                          const std::optional<Digest>& apart_from) {
    const auto other = [&](const Digest& digest) { return !apart_from || digest != *apart_from; };
    while (rows.next()) {
        const File file = file_rows.read(rows);
        if (file.held && file.path == path && (file.digests.empty() || other(file.digests.front())))
            return true;
        if (file.metadata_held && file.path + ".metadata" == path &&
            other({Algorithm::sha256, file.core_metadata.sha256}))
            return true;
    }
    return false;
}

bool State::owned(const std::string& path) {
    return owned_otherwise(path, std::nullopt);
}

bool State::owned_otherwise(const std::string& path, const std::optional<Digest>& digest) {
    // The file's own name, or that of the file whose companion it is.
    const std::string name = path.substr(path.rfind('/') + 1);
    const std::string stem = name.ends_with(".metadata") ? name.substr(0, name.size() - 9) : name;
    return impl_->held_at(impl_
                              ->sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE name IN (?, ?))sql")
                              .rows(name, stem),
                          path, digest);
}

bool State::holds(const ProjectName& name, const std::string& path) {
    const auto known = published(name);
    if (!known) return false;
    return impl_->held_at(impl_
                              ->sql(R"sql(
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members
FROM files WHERE project = ?)sql")
                              .rows(known->id),
                          path, std::nullopt);
}

void State::Impl::put_down(const std::string& path, Time not_before, std::int64_t after_root) {
    sql("INSERT OR REPLACE INTO removals(path, not_before, after_root) VALUES(?, ?, ?)")
        .run(path, number_of(not_before), after_root);
    any_removals = true;
}

// Whether it was placed, or lay there before as another project's, nobody knows after a kill.
void State::Impl::put_down_intended(const std::string& path, std::int64_t after_root) {
    sql("INSERT OR IGNORE INTO shared(path) VALUES(?)").run(path);
    put_down(path, Time{}, after_root);
}

// What is published again is no longer to be removed. Most of the time there is nothing to be
// removed at all.
void State::Impl::no_removal(const std::string& path) {
    if (any_removals) sql("DELETE FROM removals WHERE path = ?").run(path);
}

// In the order of the rows: the table then grows at its end, and its pages are full.
void State::Impl::insert_files(std::int64_t project, const std::vector<File>& files) {
    std::vector<std::size_t> order(files.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return files[a].name.text() < files[b].name.text();
    });
    for (const std::size_t position : order) {
        file_rows.insert(project, static_cast<std::int64_t>(position), files[position]);
        count(files[position], 1);
    }
}

void State::Impl::update_files(std::int64_t project, const ProjectPage& page, Time remove_from,
                               KeptPaths& kept) {
    PlacedFiles known = files_of(project);
    const auto leave = [&](const File& old) {
        count(old, -1);
        for (const std::string& path : {old.path, old.path + ".metadata"}) {
            const bool ours = path == old.path ? old.held : old.metadata_held;
            if (ours && !kept.contains(path)) put_down(path, remove_from);
        }
    };

    FileIndex by_name(known.files);
    std::vector<bool> found(known.files.size());
    std::int64_t position = 0;
    for (const File& file : page.files) {
        const auto i = by_name.find(file.name.text());
        const bool same = i && known.positions[*i] == position && known.files[*i] == file;
        if (i) found[*i] = true;
        if (i && !same) leave(known.files[*i]);
        if (!same) {
            file_rows.write(project, position, file);
            count(file, 1);
        }
        ++position;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i]) continue;
        leave(known.files[i]);
        sql("DELETE FROM files WHERE project = ? AND name = ?")
            .run(project, known.files[i].name.text());
    }
}

void State::Impl::write_files(const ProjectRow& project, const ProjectPage& page,
                              Time remove_from) {
    KeptPaths kept(page);
    if (project.fresh)
        insert_files(project.id, page.files);
    else
        update_files(project.id, page, remove_from, kept);
    if (any_removals)
        for (const std::string& path : kept.all()) no_removal(path);
    for (const std::string& path : take_intended(page.name))
        if (!kept.contains(path)) put_down_intended(path, 0);
}

void State::record_page(const ProjectPage& page, std::string_view display, std::string_view etag,
                        Time remove_from) {
    const Impl::ProjectRow row = impl_->project_row(page.name, display);
    impl_->write_files(row, page, remove_from);
    const bool listed = !page.quarantined();
    impl_->counts.totals.projects += (listed ? 1 : 0) - (row.page == 2 ? 1 : 0);
    impl_
        ->sql(R"sql(
UPDATE projects SET display = ?2, serial = ?3, page = ?4, etag = ?5, status = ?6, reason = ?7, meta = ?8, members = ?9
WHERE id = ?1)sql")
        .run(row.id, unless_equal(display, page.name.text()), page.serial.value, listed ? 2 : 1,
             etag, unless_empty(page.status.status), unless_empty(page.status.reason),
             unless_empty(page.meta_members), unless_empty(page.members));
    if (impl_->any_removals)
        for (const char* format : page_formats)
            impl_->no_removal("simple/" + page.name.text() + format);
    set(Note::root_changes, number(Note::root_changes).value_or(0) + 1);
}

void State::rename(const ProjectName& name, std::string_view display) {
    impl_->sql("UPDATE projects SET display = ? WHERE name = ?")
        .run(unless_equal(display, name.text()), name.text());
    set(Note::root_changes, number(Note::root_changes).value_or(0) + 1);
}

void State::drop_project(const ProjectName& name) {
    const auto change = number(Note::root_changes).value_or(0) + 1;
    set(Note::root_changes, change);
    // Where a kill came between them, a page may be shown that was never recorded.
    for (const char* format : page_formats)
        impl_->put_down("simple/" + name.text() + format, Time{}, change);
    for (const std::string& path : impl_->take_intended(name))
        impl_->put_down_intended(path, change);
    clear_skipped(name);
    const auto known = published(name);
    if (!known) return;
    for (const File& file : impl_->files_of(known->id).files) {
        impl_->count(file, -1);
        if (file.held) impl_->put_down(file.path, Time{}, change);
        if (file.metadata_held) impl_->put_down(file.path + ".metadata", Time{}, change);
    }
    impl_->sql("DELETE FROM files WHERE project = ?").run(known->id);
    impl_->sql("DELETE FROM projects WHERE id = ?").run(known->id);
    impl_->sql("DELETE FROM verified WHERE project = ?").run(known->id);  // ids are used again
    if (known->listed) --impl_->counts.totals.projects;
}

void State::for_each_listed(
    const std::function<void(std::string_view name, std::string_view display, Serial)>& visit) {
    auto rows = impl_
                    ->sql(
                        "SELECT name, display, serial, page FROM projects INDEXED BY "
                        "projects_shown WHERE page > 0 ORDER BY name")
                    .rows();
    while (rows.next()) {
        if (rows.integer(3) != 2) continue;
        const std::string name = name_in(rows, 0).text();
        visit(name, rows.null(1) ? name : rows.view(1), serial_in(rows, 2));
    }
}

std::size_t State::shown(std::string_view after, std::vector<ListedProject>& projects) {
    auto rows = impl_
                    ->sql(
                        "SELECT name, display, serial FROM projects INDEXED BY projects_shown "
                        "WHERE page > 0 AND name > ? ORDER BY name LIMIT ?")
                    .rows(after, static_cast<std::int64_t>(projects.size()));
    std::size_t count = 0;
    for (; rows.next(); ++count) {
        ListedProject& project = projects[count];
        project.name = rows.view(0);
        project.display = rows.null(1) ? project.name : rows.view(1);
        project.serial = serial_in(rows, 2);
    }
    return count;
}

std::vector<ProjectName> State::projects_after(std::string_view name, std::size_t most) {
    auto rows =
        impl_->sql("SELECT name FROM projects WHERE page > 0 AND name > ? ORDER BY name LIMIT ?")
            .rows(name, static_cast<std::int64_t>(most));
    std::vector<ProjectName> all;
    while (rows.next()) all.push_back(name_in(rows, 0));
    return all;
}

void State::forget_etags() {
    impl_->sql("UPDATE projects SET etag = '' WHERE etag <> ''").run();
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
    while (rows.next()) all.push_back(page_in(rows));
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
SELECT path FROM removals INDEXED BY removals_due
WHERE path >= 'packages/' AND path < 'packages0' AND not_before <= ?1 AND after_root <
  (SELECT coalesce(min(after_root), 9223372036854775807) FROM removals WHERE path >= 'simple/' AND path < 'simple0'
    AND after_root > 0)
LIMIT ?2)sql")
                    .rows(number_of(now), static_cast<std::int64_t>(most));
    std::vector<std::string> all;
    while (rows.next()) all.push_back(file_in(rows));
    return all;
}

std::optional<Time> State::next_removal() {
    return impl_->time(impl_->sql("SELECT min(not_before) FROM removals").rows());
}

void State::removed(const std::string& path) {
    impl_->sql("DELETE FROM removals WHERE path = ?").run(path);
}

}  // namespace pep381d
