#include "pep381d/plan/page_plan.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "pep381d/model/file_index.h"
#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

constexpr std::string_view companion = ".metadata";
constexpr std::size_t most_refused = 100;  // that are told one by one

// Two files never share a path, nor does a file lie where another's companion belongs.
class Places {
  public:
    // A path ends in the file's name: where all names differ, and none could be a companion's, the
    // paths do.
    explicit Places(const std::vector<File>& files)
        : distinct_(!names_may_repeat(files) &&
                    std::none_of(files.begin(), files.end(), [](const File& file) {
                        return file.name.text().ends_with(companion);
                    })) {}

    // False where the place is another's.
    bool take(const std::string& path, bool with_companion) {
        if (distinct_) return true;
        const std::string beside = path + std::string(companion);
        if (taken_.contains(path) || taken_.contains(beside)) return false;
        taken_.insert(path);
        if (with_companion) taken_.insert(beside);
        return true;
    }

  private:
    bool distinct_;
    // Trees: names are a stranger's, who may know which of them share a hash.
    std::set<std::string> taken_;
};

// Gives the file its place in the tree; why it can have none, else.
std::optional<std::string> settle_path(File& file, Places& places) {
    auto path = file_path(file);
    if (!path) return "its URL " + file.url + " gives no path to store it at, and it has no sha256";
    if (!places.take(*path, file.core_metadata.offered))
        return "another file of the page lies at " + *path;
    file.path = std::move(*path);
    return std::nullopt;
}

// Leaves out the files that can have no place.
void settle_paths(PagePlan& plan) {
    std::vector<File>& files = plan.page.files;
    Places places(files);
    auto settled = files.begin();
    std::size_t more_refused = 0;
    for (File& file : files) {
        if (auto cause = settle_path(file, places)) {
            if (plan.refused.size() < most_refused)
                plan.refused.push_back({file.name.text(), std::move(*cause)});
            else
                ++more_refused;
            continue;
        }
        if (&*settled != &file) *settled = std::move(file);
        ++settled;
    }
    if (settled != files.end()) {
        files.erase(settled, files.end());
        files.shrink_to_fit();  // they may have been nearly all, of very many
    }
    if (more_refused > 0)
        plan.refused.push_back({"", fmt::format("{} more files have no place", more_refused)});
}

bool same_file(const File& fresh, const File& known) {
    return fresh.path == known.path && fresh.digests == known.digests && fresh.size == known.size;
}

// Of the file, or of its .metadata.
bool is_in_doubt(const std::vector<std::string>& in_doubt, const File& file, bool metadata) {
    if (in_doubt.empty()) return false;
    const std::string path = metadata ? file.path + std::string(companion) : file.path;
    return std::binary_search(in_doubt.begin(), in_doubt.end(), path);
}

// What the page no longer names stays on ours.
void keep_dropped(PagePlan& plan, const ProjectPage& known,
                  const std::vector<std::string>& in_doubt) {
    std::set<std::string> listed;
    for (const File& file : plan.page.files) listed.insert(file.name.text());
    for (const File& file : known.files) {
        if (!file.held || listed.contains(file.name.text())) continue;
        // Its bytes are gone, and nobody has them any more.
        if (is_in_doubt(in_doubt, file, false)) continue;
        File& kept = plan.page.files.emplace_back(file);
        if (is_in_doubt(in_doubt, file, true)) kept.metadata_held = false;
    }
    plan.loses = false;
}

// Whether the bytes are still those that we hold nothing on the page tells.
bool only_its_host_knows(const File& file) {
    return file.held && file.digests.empty() && !file.etag.empty();
}

// What of the file, which was `old`, is ours already, and what is to be fetched.
void plan_file(PagePlan& plan, std::size_t i, const File* old, bool core_metadata,
               const std::vector<std::string>& in_doubt) {
    File& file = plan.page.files[i];
    const bool unchanged = old != nullptr && same_file(file, *old);
    const bool in_place = old != nullptr && old->path == file.path;
    const bool doubted = is_in_doubt(in_doubt, file, false);
    file.held = unchanged && old->held && !doubted;
    if (!file.held) plan.fetches.push_back({i, false, doubted || (in_place && old->held)});
    if (file.held) file.etag = old->etag;
    if (!core_metadata || !file.core_metadata.offered) return;
    const bool companion_doubted = is_in_doubt(in_doubt, file, true);
    file.metadata_held = file.held && old->metadata_held &&
                         old->core_metadata == file.core_metadata && !companion_doubted;
    if (!file.metadata_held)
        plan.fetches.push_back({i, true, companion_doubted || (in_place && old->metadata_held)});
}

}  // namespace

bool asks_for_etags(const ProjectPage& known) {
    return std::any_of(known.files.begin(), known.files.end(), only_its_host_knows);
}

PagePlan plan_page(ProjectPage fresh, const ProjectPage* known, const PagePolicy& policy,
                   const std::vector<std::string>& in_doubt) {
    PagePlan plan{std::move(fresh), {}, {}, false, false};
    // PEP 792: no file of a quarantined project may be offered, whatever the page says.
    if (plan.page.quarantined()) plan.page.files.clear();
    settle_paths(plan);

    static const std::vector<File> none;
    FileIndex ours(known == nullptr ? none : known->files);
    std::size_t still_there = 0;
    std::vector<std::size_t> to_be_asked;
    for (std::size_t i = 0; i < plan.page.files.size(); ++i) {
        File& file = plan.page.files[i];
        const auto found = ours.find(file.name.text());
        const File* old = found ? &known->files[*found] : nullptr;
        if (old != nullptr) ++still_there;
        if (!policy.files) continue;
        plan_file(plan, i, old, policy.core_metadata, in_doubt);
        if (only_its_host_knows(file)) to_be_asked.push_back(i);
    }
    if (!in_doubt.empty())
        std::stable_partition(plan.fetches.begin(), plan.fetches.end(),
                              [](const Fetch& fetch) { return fetch.lies_there; });
    plan.loses = known != nullptr && still_there < known->files.size();
    if (plan.loses && policy.keep && !plan.page.quarantined()) keep_dropped(plan, *known, in_doubt);
    plan.same = known != nullptr && plan.fetches.empty() && plan.page == *known;
    for (const std::size_t i : to_be_asked) {
        plan.page.files[i].held = false;
        plan.fetches.push_back({i, false});
    }
    return plan;
}

}  // namespace pep381d
