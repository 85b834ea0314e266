// What is to be removed from the tree, what may have to be after a kill, and who else owns it.
#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include "pep381d/model/file_name.h"
#include "pep381d/model/file_path.h"

#include "state/impl.h"

namespace pep381d {

namespace {

using sqlite::Statement;

// A project's page in its formats, and the signatures of the page.
std::array<std::string, 5> page_paths(const ProjectName& name) {
    const std::string page = "simple/" + name.text(), signature = "serversig/" + name.text();
    return {page + "/index.html", page + "/index.v1_html", page + "/index.v1_json", signature,
            signature + ".ed25519"};
}

// What is to be removed: nothing but a page or a file of ours, whatever stands there.
std::string page_in(const Statement::Rows& row) {
    std::string path = row.text(0);
    const std::string_view below = std::string_view(path).substr(path.find('/') + 1);
    const auto project = ProjectName::parse(below.substr(0, below.find_first_of("/.")));
    if (!project) row.damaged("it names an illegal path");
    const auto legal = page_paths(*project);
    if (std::find(legal.begin(), legal.end(), path) == legal.end())
        row.damaged("it names an illegal path");
    return path;
}

std::string file_in(const Statement::Rows& row) {
    if (!legal_file_path(row.view(0))) row.damaged("it names an illegal path");
    return row.text(0);
}

// What a project must hold for something of its to lie at this path: a file, or the companion of
// one.
std::vector<FileAt> files_at(const std::string& path) {
    constexpr std::string_view companion = ".metadata";
    const std::string name = path.substr(path.rfind('/') + 1);
    std::vector<FileAt> all{{name, path, false}};
    if (name.ends_with(companion))
        all.push_back({name.substr(0, name.size() - companion.size()),
                       path.substr(0, path.size() - companion.size()), true});
    return all;
}

std::optional<Digest> digest_of(const File& file, bool companion) {
    if (!companion) return file.digests.empty() ? std::nullopt : std::optional(file.digests[0]);
    if (file.core_metadata.sha256.empty()) return std::nullopt;
    return Digest{Algorithm::sha256, file.core_metadata.sha256};
}

// What has no digest is whatever its URL gives.
bool same_bytes(const File& one, const File& other, bool companion) {
    const auto digest = digest_of(one, companion);
    if (digest != digest_of(other, companion)) return false;
    if (digest) return true;
    // A companion is only believed beside the bytes that it came with.
    return one.url == other.url && one.size == other.size &&
           (!companion || one.digests == other.digests);
}

}  // namespace

void State::intend(const ProjectName& name, const std::string& path) {
    impl_->sql("INSERT OR IGNORE INTO intended(project, path) VALUES(?, ?)").run(name.text(), path);
}

void State::intend_page(const ProjectName& name) {
    intend(name, intended_page(name));
}

void State::note_damaged(const ProjectName& name, const std::string& path) {
    intend_page(name);
    intend(name, std::string(damaged_mark) + path);
}

std::vector<ProjectName> State::torn() {
    std::vector<ProjectName> all, others;
    {
        auto rows = impl_
                        ->sql(R"sql(
SELECT intended.project, max(intended.path >= ?1 AND intended.path < ?2 OR
  (intended.path = 'simple/' || intended.project AND NOT EXISTS(SELECT 1 FROM copies WHERE copies.project = id)))
FROM intended JOIN projects ON name = intended.project WHERE page > 0 GROUP BY 1)sql")
                        .rows(damaged_mark, after_damaged_marks);
        while (rows.next()) (rows.integer(1) == 1 ? all : others).push_back(name_in(rows, 0));
    }
    for (ProjectName& name : others) {
        const auto doubts = in_doubt(name);
        if (std::any_of(doubts.begin(), doubts.end(),
                        [&](const std::string& path) { return holds(name, path); }))
            all.push_back(std::move(name));
    }
    return all;
}

std::vector<std::string> State::Impl::damaged(const ProjectName& name) {
    auto rows = sql("SELECT path FROM intended WHERE project = ?1 AND path >= ?2 AND path < ?3")
                    .rows(name.text(), damaged_mark, after_damaged_marks);
    std::vector<std::string> all;
    while (rows.next()) all.emplace_back(rows.view(0).substr(damaged_mark.size()));
    return all;
}

std::unordered_set<std::string> State::intended() {
    std::unordered_set<std::string> all;
    auto rows = impl_->sql("SELECT path FROM intended").rows();
    while (rows.next()) all.insert(rows.text(0));
    return all;
}

std::vector<std::string> State::in_doubt(const ProjectName& name) {
    auto rows = impl_
                    ->sql(
                        "SELECT path FROM intended WHERE project = ? AND path >= 'packages/' AND "
                        "path < 'packages0' ORDER BY path")
                    .rows(name.text());
    std::vector<std::string> all;
    while (rows.next()) all.push_back(file_in(rows));
    return all;
}

bool State::files_may_be_unknown() {
    if (!time(Note::last_modified) || number(Note::older_tree)) return true;
    return impl_
        ->one(impl_
                  ->sql("SELECT 1 FROM intended WHERE path >= 'packages/' AND path < 'packages0' "
                        "LIMIT 1")
                  .rows())
        .has_value();
}

void State::not_placed(const ProjectName& name, const std::string& path) {
    impl_->sql("DELETE FROM intended WHERE project = ? AND path = ?").run(name.text(), path);
}

void State::drop_intended(const ProjectName& name) {
    for (const std::string& path : impl_->take_intended(name)) impl_->put_down_intended(path, 0);
}

void State::forget_intended(const ProjectName& name) {
    impl_->take_intended(name);
}

std::vector<std::string> State::Impl::take_intended(const ProjectName& name) {
    std::vector<std::string> paths;
    bool any = false;
    {
        const std::string page = intended_page(name);
        auto rows = sql("SELECT path FROM intended WHERE project = ?").rows(name.text());
        for (; rows.next(); any = true)
            if (rows.view(0) != page && !rows.view(0).starts_with(damaged_mark))
                paths.push_back(file_in(rows));
    }
    if (any) sql("DELETE FROM intended WHERE project = ?").run(name.text());
    return paths;
}

void State::Impl::note_misnamed(std::int64_t project, const ProjectName& name, const File& file,
                                const File* before) {
    // Most rows that change stay where they are, such as those that came before their page.
    const bool stays = before != nullptr && before->path == file.path;
    if (stays && before->held) return;
    if (before != nullptr && !stays) forget_misnamed(project, name, *before);
    if ((file.held || file.metadata_held) && !speaks_of(file.name.text(), name))
        sql("INSERT OR IGNORE INTO misnamed(path, project) VALUES(?, ?)").run(file.path, project);
}

void State::Impl::forget_misnamed(std::int64_t project, const ProjectName& name, const File& file) {
    if (!speaks_of(file.name.text(), name))
        sql("DELETE FROM misnamed WHERE path = ? AND project = ?").run(file.path, project);
}

std::vector<std::int64_t> State::Impl::projects_with(const FileAt& at) {
    std::vector<std::int64_t> all;
    for (const ProjectName& project : likely_projects(at.name))
        if (const auto id = one(sql("SELECT id FROM projects WHERE name = ?").rows(project.text())))
            all.push_back(*id);
    auto rows = sql("SELECT project FROM misnamed WHERE path = ?").rows(at.path);
    while (rows.next()) all.push_back(rows.integer(0));
    return all;
}

std::optional<File> State::Impl::held_at(std::int64_t project, const FileAt& at) {
    auto file = file_of(project, at.name);
    if (!file || file->path != at.path || !(at.companion ? file->metadata_held : file->held))
        return std::nullopt;
    return file;
}

bool State::owned(const std::string& path) {
    for (const FileAt& at : files_at(path))
        for (const std::int64_t project : impl_->projects_with(at))
            if (impl_->held_at(project, at)) return true;
    return false;
}

std::vector<ProjectName> State::owners_otherwise(const ProjectName& but, const std::string& path,
                                                 const File& named) {
    const auto ours = published(but);
    std::vector<ProjectName> all;
    for (const FileAt& at : files_at(path))
        for (const std::int64_t project : impl_->projects_with(at)) {
            if (ours && ours->id == project) continue;
            const auto its = impl_->held_at(project, at);
            if (!its || same_bytes(*its, named, at.companion)) continue;
            auto rows = impl_->sql("SELECT name FROM projects WHERE id = ?").rows(project);
            if (rows.next()) all.push_back(name_in(rows, 0));
        }
    return all;
}

std::vector<ProjectName> State::others_on_the_way(const ProjectName& but, const std::string& path) {
    auto rows = impl_
                    ->sql(
                        "SELECT project FROM intended WHERE path = ? AND project <> ? "
                        "AND EXISTS (SELECT 1 FROM queue WHERE name = project)")
                    .rows(path, but.text());
    std::vector<ProjectName> all;
    while (rows.next()) all.push_back(name_in(rows, 0));
    return all;
}

bool State::holds(const ProjectName& name, const std::string& path) {
    const auto known = published(name);
    if (!known) return false;
    const auto all = files_at(path);
    return std::any_of(all.begin(), all.end(),
                       [&](const FileAt& at) { return impl_->held_at(known->id, at).has_value(); });
}

void State::Impl::put_down(const std::string& path, Time not_before, std::int64_t after_root,
                           std::string_view project) {
    sql("INSERT OR REPLACE INTO removals(path, not_before, after_root, project) VALUES(?, ?, ?, ?)")
        .run(path, number_of(not_before), after_root,
             project.empty() ? std::nullopt : std::optional(project));
    any_removals = true;
}

void State::Impl::end_grace(const ProjectName& name) {
    if (any_removals)
        sql("UPDATE removals SET not_before = 0 WHERE not_before > 0 AND project = ?")
            .run(name.text());
}

// Whether it was placed, or lay there before as another project's, nobody knows after a kill.
void State::Impl::put_down_intended(const std::string& path, std::int64_t after_root) {
    put_down(path, Time{}, after_root);
}

// What is published again is no longer to be removed. Most of the time there is nothing to be
// removed at all.
void State::Impl::no_removal(const std::string& path) {
    if (any_removals) sql("DELETE FROM removals WHERE path = ?").run(path);
}

void State::Impl::no_page_removal(const ProjectName& name) {
    for (const std::string& path : page_paths(name)) no_removal(path);
}

std::vector<std::string> State::drop_project(const ProjectName& name) {
    const auto change = number(Note::root_changes).value_or(0) + 1;
    set(Note::root_changes, change);
    // Where a kill came between them, a page may be shown that was never recorded.
    for (const std::string& path : page_paths(name)) impl_->put_down(path, Time{}, change);
    for (const std::string& path : impl_->take_intended(name))
        impl_->put_down_intended(path, change);
    impl_->end_grace(name);
    clear_skipped(name);
    const auto known = published(name);
    std::vector<std::string> left;
    if (!known) return left;
    for (const File& file : impl_->files_of(known->id).files) {
        impl_->count(file, -1);
        impl_->forget_misnamed(known->id, name, file);
        if (file.held) {
            impl_->put_down(file.path, Time{}, change);
            left.push_back(file.path);
        }
        if (file.metadata_held) impl_->put_down(file.path + ".metadata", Time{}, change);
    }
    impl_->sql("DELETE FROM files WHERE project = ?").run(known->id);
    impl_->sql("DELETE FROM projects WHERE id = ?").run(known->id);
    // Ids are used again.
    impl_->sql("DELETE FROM verified WHERE project = ?").run(known->id);
    impl_->sql("DELETE FROM copies WHERE project = ?").run(known->id);
    if (known->listed) --impl_->counts.totals.projects;
    return left;
}

void State::put_down(const std::string& path, Time not_before) {
    impl_->put_down(path, not_before);
}

std::vector<std::string> State::pages_to_remove(std::int64_t root_written) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT path FROM removals WHERE path >= 'serversig/' AND path < 'simple0' AND after_root <= ? LIMIT 10000)sql")
                    .rows(root_written);
    std::vector<std::string> all;
    while (rows.next()) all.push_back(page_in(rows));
    return all;
}

bool State::pages_wait_for_root(std::int64_t root_written) {
    return impl_
        ->one(
            impl_
                ->sql("SELECT 1 FROM removals WHERE path >= 'serversig/' AND path < 'simple0' AND "
                      "after_root > ? LIMIT 1")
                .rows(root_written))
        .has_value();
}

std::vector<std::string> State::files_to_remove(Time now, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT path FROM removals INDEXED BY removals_due
WHERE path >= 'packages/' AND path < 'packages0' AND not_before <= ?1 AND after_root <
  (SELECT coalesce(min(after_root), 9223372036854775807) FROM removals WHERE path >= 'serversig/' AND path < 'simple0'
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

void State::put_off(const std::string& path, Time not_before) {
    impl_->sql("UPDATE removals SET not_before = ? WHERE path = ?")
        .run(number_of(not_before), path);
}

void State::removed(const std::string& path) {
    impl_->sql("DELETE FROM removals WHERE path = ?").run(path);
}

}  // namespace pep381d
