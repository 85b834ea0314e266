#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "pep381d/model/file_index.h"

#include "state/impl.h"

namespace pep381d {

namespace {

// The position of a file whose page is still to come.
constexpr std::size_t before_its_page = 1'000'000;

std::optional<std::string_view> unless_empty(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return text;
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
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members, etag
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

namespace {

void leave_out(ProjectPage& page, const std::vector<std::string>& damaged) {
    if (damaged.empty()) return;
    const auto is_damaged = [&](const std::string& path) {
        return std::find(damaged.begin(), damaged.end(), path) != damaged.end();
    };
    std::erase_if(page.files, [&](const File& file) { return is_damaged(file.path); });
    for (File& file : page.files)
        if (is_damaged(file.path + ".metadata")) file.metadata_held = false;
}

}  // namespace

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
    leave_out(page, impl_->damaged(name));
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
SELECT name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, provenance, members, etag
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

bool State::ahead_of_page(const ProjectName& name) {
    const std::string page = intended_page(name);
    auto rows = impl_
                    ->sql(R"sql(
SELECT 1 FROM files WHERE project = (SELECT id FROM projects WHERE name = ?1 AND page > 0) AND position >= ?2
UNION ALL SELECT 1 FROM intended WHERE project = ?1 AND path = ?3 LIMIT 1)sql")
                    .rows(name.text(), static_cast<std::int64_t>(before_its_page), page);
    return rows.next();
}

void State::record_file(const ProjectName& name, std::string_view display, const File& file) {
    const std::int64_t id = impl_->project_row(name, display).id;
    File now = file;
    now.held = true;
    now.metadata_held = false;
    if (const auto old = impl_->file_of(id, file.name.text())) {
        // The page that is shown links to the other place still: the page that follows settles it.
        if (old->held && old->path != file.path) return;
        // Nor does the companion go before that: the page may have none any more, or another. One
        // that nothing proves is only believed beside the bytes that it came with.
        const bool proven = !old->core_metadata.sha256.empty() ||
                            (!file.digests.empty() && old->digests == file.digests);
        if (old->metadata_held && proven) {
            now.metadata_held = true;
            now.core_metadata = old->core_metadata;
        } else if (old->metadata_held) {
            intend(name, file.path + ".metadata");
        }
        impl_->count(*old, -1);
    }
    impl_->file_rows.write(id, before_its_page, now);
    impl_->note_misnamed(id, name, now);
    impl_->count(now, 1);
    impl_->has_come(name, file.path);
}

void State::record_metadata(const ProjectName& name, const File& file) {
    const auto known = published(name);
    const auto old = known ? impl_->file_of(known->id, file.name.text()) : std::nullopt;
    if (!old || !old->held || old->path != file.path || old->digests != file.digests) return;
    File now = *old;
    now.metadata_held = true;
    now.core_metadata = file.core_metadata;
    impl_->file_rows.write(known->id, before_its_page, now);
    impl_->has_come(name, file.path + ".metadata");
}

// Into its place: it is neither on its way any more, nor damaged, nor to be removed.
void State::Impl::has_come(const ProjectName& name, const std::string& path) {
    no_removal(path);
    const std::string damaged = std::string(damaged_mark) + path;
    sql("DELETE FROM intended WHERE project = ? AND path IN (?, ?)")
        .run(name.text(), path, damaged);
}

void State::forget_file(const ProjectName& name, const std::string& path) {
    const auto known = published(name);
    if (!known) return;
    for (const File& file : impl_->files_of(known->id).files) {
        const std::string companion = file.path + ".metadata";
        if (path != file.path && path != companion) continue;
        impl_->count(file, -1);
        impl_->forget_misnamed(known->id, name, file);
        impl_->sql("DELETE FROM files WHERE project = ? AND name = ?")
            .run(known->id, file.name.text());
        put_down(path, Time{});
        // The other one is right, as far as anybody knows.
        const bool other_held = path == file.path ? file.metadata_held : file.held;
        if (other_held) intend(name, path == file.path ? companion : file.path);
        return;
    }
}

// In the order of the rows: the table then grows at its end, and its pages are full.
void State::Impl::insert_files(std::int64_t project, const ProjectPage& page) {
    const std::vector<File>& files = page.files;
    std::vector<std::size_t> order(files.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return files[a].name.text() < files[b].name.text();
    });
    file_rows.insert(project, files, order);
    for (const File& file : files) {
        count(file, 1);
        note_misnamed(project, page.name, file);
    }
}

std::vector<std::string> State::Impl::update_files(std::int64_t project, const ProjectPage& page,
                                                   Time remove_from, KeptPaths& kept) {
    PlacedFiles known = files_of(project);
    std::vector<std::string> left;
    const auto leave = [&](const File& old) {
        count(old, -1);
        for (const std::string& path : {old.path, old.path + ".metadata"}) {
            const bool ours = path == old.path ? old.held : old.metadata_held;
            if (ours && !kept.contains(path)) put_down(path, remove_from, 0, page.name.text());
        }
        if (old.held && !kept.contains(old.path)) left.push_back(old.path);
    };

    FileIndex by_name(known.files);
    std::vector<bool> found(known.files.size());
    std::size_t position = 0;
    for (const File& file : page.files) {
        const auto i = by_name.find(file.name.text());
        const bool same = i && known.positions[*i] == static_cast<std::int64_t>(position) &&
                          known.files[*i] == file;
        if (i) found[*i] = true;
        if (i && !same) leave(known.files[*i]);
        if (!same) {
            file_rows.write(project, position, file);
            count(file, 1);
            note_misnamed(project, page.name, file, i ? &known.files[*i] : nullptr);
        }
        ++position;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i]) continue;
        leave(known.files[i]);
        forget_misnamed(project, page.name, known.files[i]);
        sql("DELETE FROM files WHERE project = ? AND name = ?")
            .run(project, known.files[i].name.text());
    }
    return left;
}

std::vector<std::string> State::Impl::write_files(const ProjectRow& project,
                                                  const ProjectPage& page, Time remove_from) {
    KeptPaths kept(page);
    std::vector<std::string> left;
    if (project.fresh)
        insert_files(project.id, page);
    else
        left = update_files(project.id, page, remove_from, kept);
    if (any_removals)
        for (const std::string& path : kept.all()) no_removal(path);
    for (const std::string& path : take_intended(page.name))
        if (!kept.contains(path)) put_down_intended(path, 0);
    return left;
}

Replaced State::record_page(const ProjectPage& page, std::string_view display,
                            std::string_view etag, Time remove_from,
                            const std::optional<CopiedPage>& copy,
                            const std::vector<std::string>& still_intended) {
    const Impl::ProjectRow row = impl_->project_row(page.name, display);
    Replaced replaced{row.page > 0, row.page == 2, impl_->write_files(row, page, remove_from)};
    for (const std::string& path : still_intended) {
        if (holds(page.name, path)) continue;
        impl_->no_removal(path);
        intend(page.name, path);
    }
    const bool listed = !page.quarantined();
    impl_->counts.totals.projects += (listed ? 1 : 0) - (row.page == 2 ? 1 : 0);
    impl_
        ->sql(R"sql(
UPDATE projects SET display = ?2, serial = ?3, page = ?4, etag = ?5, status = ?6, reason = ?7, meta = ?8, members = ?9
WHERE id = ?1)sql")
        .run(row.id, unless_equal(display, page.name.text()), page.serial.value, listed ? 2 : 1,
             etag, unless_empty(page.status.status), unless_empty(page.status.reason),
             unless_empty(page.meta_members), unless_empty(page.members));
    impl_->note_copy(row, copy);
    if (impl_->any_removals) impl_->no_page_removal(page.name);
    if (!listed) impl_->end_grace(page.name);
    set(Note::root_changes, number(Note::root_changes).value_or(0) + 1);
    return replaced;
}

void State::Impl::note_copy(const ProjectRow& project, const std::optional<CopiedPage>& copy) {
    if (!copy) {
        if (!project.fresh) sql("DELETE FROM copies WHERE project = ?").run(project.id);
        return;
    }
    const sqlite::Cell signature = copy->signature.empty()
                                       ? sqlite::Cell(sqlite::Null{})
                                       : sqlite::Cell(sqlite::Blob{copy->signature});
    sql("INSERT OR REPLACE INTO copies(project, size, sha256, signature) VALUES(?, ?, ?, ?)")
        .run(project.id, copy->size, sqlite::Blob{copy->sha256}, signature);
}

std::optional<CopiedPage> State::copied(const ProjectName& name) {
    auto rows = impl_
                    ->sql(
                        "SELECT size, sha256, signature FROM copies JOIN projects ON id = project "
                        "WHERE name = ?")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    if (rows.view(1).size() != digest_size(Algorithm::sha256))
        rows.damaged("it holds a digest of a wrong size");
    return CopiedPage{rows.integer(0, 0, std::numeric_limits<std::int64_t>::max()), rows.text(1),
                      rows.text(2)};
}

void State::forget_copies() {
    impl_->sql("DELETE FROM copies").run();
}

void State::rename(const ProjectName& name, std::string_view display) {
    impl_->sql("UPDATE projects SET display = ? WHERE name = ?")
        .run(unless_equal(display, name.text()), name.text());
    set(Note::root_changes, number(Note::root_changes).value_or(0) + 1);
}

void State::forget_etag(const ProjectName& name) {
    impl_->sql("UPDATE projects SET etag = '' WHERE name = ?").run(name.text());
}

void State::forget_etags() {
    impl_->sql("UPDATE projects SET etag = '' WHERE etag <> ''").run();
}

}  // namespace pep381d
