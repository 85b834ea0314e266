#include "pep381d/plan/page_plan.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

constexpr std::string_view companion = ".metadata";

// Gives each file its place in the tree and leaves out those that can have none: two files never
// share a path, nor does a file lie where another's companion belongs.
void settle_paths(PagePlan& plan) {
    std::unordered_set<std::string> taken;
    std::vector<File> settled;
    settled.reserve(plan.page.files.size());
    for (File& file : plan.page.files) {
        auto path = file_path(file);
        if (!path) {
            plan.refused.push_back(
                {file.name.text(),
                 "its URL " + file.url + " gives no path to store it at, and it has no sha256"});
            continue;
        }
        if (taken.contains(*path) || taken.contains(*path + std::string(companion))) {
            plan.refused.push_back({file.name.text(), "another file of the page lies at " + *path});
            continue;
        }
        taken.insert(*path);
        if (file.core_metadata.offered) taken.insert(*path + std::string(companion));
        file.path = std::move(*path);
        settled.push_back(std::move(file));
    }
    plan.page.files = std::move(settled);
}

bool same_file(const File& fresh, const File& known) {
    return fresh.path == known.path && fresh.digests == known.digests && fresh.size == known.size;
}

}  // namespace

PagePlan plan_page(ProjectPage fresh, const ProjectPage* known, const PagePolicy& policy) {
    PagePlan plan{std::move(fresh), {}, {}, false, false};
    // PEP 792: no file of a quarantined project may be offered, whatever the page says.
    if (plan.page.quarantined()) plan.page.files.clear();
    settle_paths(plan);

    std::unordered_map<std::string_view, const File*> ours;
    if (known != nullptr)
        for (const File& file : known->files) ours.emplace(file.name.text(), &file);

    std::size_t still_there = 0;
    for (std::size_t i = 0; i < plan.page.files.size(); ++i) {
        File& file = plan.page.files[i];
        const auto found = ours.find(file.name.text());
        const File* old = found == ours.end() ? nullptr : found->second;
        if (old != nullptr) ++still_there;
        const bool unchanged = old != nullptr && same_file(file, *old);
        if (!policy.files) continue;

        file.held = unchanged && old->held;
        if (!file.held) plan.fetches.push_back({i, false});
        if (!policy.core_metadata || !file.core_metadata.offered) continue;
        file.metadata_held =
            file.held && old->metadata_held && old->core_metadata == file.core_metadata;
        if (!file.metadata_held) plan.fetches.push_back({i, true});
    }
    plan.loses = known != nullptr && still_there < known->files.size();
    if (plan.loses && policy.keep && !plan.page.quarantined()) {
        std::unordered_set<std::string> listed;
        for (const File& file : plan.page.files) listed.insert(file.name.text());
        for (const File& file : known->files)
            if (file.held && !listed.contains(file.name.text())) plan.page.files.push_back(file);
        plan.loses = false;
    }
    plan.same = known != nullptr && plan.fetches.empty() && plan.page == *known;
    return plan;
}

}  // namespace pep381d
