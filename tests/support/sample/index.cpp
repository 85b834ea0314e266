#include "support/sample/index.h"

#include <algorithm>

#include "support/sample/random.h"
#include "support/sample/text.h"

namespace sample {

Release* Project::release(std::string_view version) {
    const auto found = std::find_if(releases.begin(), releases.end(),
                                    [&](const Release& r) { return r.version == version; });
    return found == releases.end() ? nullptr : &*found;
}

void Index::record(Project& project, std::optional<std::string> version, std::string action) {
    Random random{seed_for(seed_, std::to_string(serial()))};
    const auto gap = random.percent(25) ? random.between(1, 6) : 0;
    const auto serial = this->serial() + 1 + gap;
    // Times are not monotone in the serial: a few rows come late.
    const auto late = random.percent(2) ? random.between(1, 3) : 0;
    project.serial = serial;
    record_row({project.display, std::move(version), now_us_ / 1'000'000 - late, std::move(action),
                serial});
}

void Index::record_row(JournalRow row) {
    journal_.push_back(std::move(row));
}

Project& Index::add_project(std::string display) {
    auto name = normalized(display);
    const auto [at, is_new] = projects_.try_emplace(name);
    auto& project = at->second;
    if (is_new) order_.push_back(&project);
    project.name = std::move(name);
    project.display = std::move(display);
    return project;
}

Project* Index::find(std::string_view normalized_name) {
    const auto found = projects_.find(normalized_name);
    return found == projects_.end() ? nullptr : &found->second;
}

const Project* Index::find(std::string_view normalized_name) const {
    const auto found = projects_.find(normalized_name);
    return found == projects_.end() ? nullptr : &found->second;
}

void Index::add_blob(std::shared_ptr<const Blob> blob) {
    auto name = blob->filename();
    blobs_[std::move(name)] = std::move(blob);
}

std::shared_ptr<const Blob> Index::blob(std::string_view path) const {
    const auto found = blobs_.find(std::string{path.substr(path.rfind('/') + 1)});
    if (found == blobs_.end() || found->second->digests().path != path) return nullptr;
    return found->second;
}

std::shared_ptr<const Blob> Index::blob_named(const std::string& filename) const {
    const auto found = blobs_.find(filename);
    return found == blobs_.end() ? nullptr : found->second;
}

void Index::remember(Project& project, Project before, std::int64_t serial_before) {
    before.previous = nullptr;
    project.previous = std::make_shared<const Project>(std::move(before));
    before_event_ = serial_before;
    latest_ = &project;
}

const Project* Index::shown(std::string_view normalized_name, bool stale) const {
    const Project* project = find(normalized_name);
    if (project == nullptr) return nullptr;
    if (stale && project->previous) project = project->previous.get();
    return project->removed ? nullptr : project;
}

std::vector<IndexEntry> Index::list(bool with_quarantined, bool stale) const {
    std::vector<IndexEntry> entries;
    for (const Project* project : order_) {
        if (stale && project == latest_) project = project->previous.get();
        if (project->removed) continue;
        if (project->status == Status::quarantined && !with_quarantined) continue;
        entries.push_back({project->name, project->display, project->serial});
    }
    return entries;
}

}  // namespace sample
