#include "support/sample/events.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "support/sample/text.h"

namespace sample {
namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw std::invalid_argument(why);
}

bool has_files(const Release& release) {
    return !release.files.empty();
}

std::vector<std::string> paths_of(const Release& release) {
    std::vector<std::string> paths;
    for (const auto& file : release.files) paths.push_back(file.blob->digests().path);
    return paths;
}

std::vector<std::string> paths_of(const Project& project) {
    std::vector<std::string> paths;
    for (const auto& release : project.releases)
        for (const auto& path : paths_of(release)) paths.push_back(path);
    return paths;
}

using ReleaseTest = bool (*)(const Release&);
bool can_yank(const Release& release) {
    return has_files(release) && !release.yanked;
}
bool is_yanked(const Release& release) {
    return release.yanked.has_value();
}
bool can_quarantine(const Release& release) {
    return has_files(release) && !release.quarantined;
}
bool is_quarantined(const Release& release) {
    return release.quarantined;
}
bool is_any(const Release&) {
    return true;
}

bool any_release(const Project& project, ReleaseTest test) {
    return std::any_of(project.releases.begin(), project.releases.end(), test);
}

// The release that is asked for by version, else the newest that passes.
Release& wanted_release(Project& project, const std::string& version, ReleaseTest test) {
    for (auto at = project.releases.rbegin(); at != project.releases.rend(); ++at)
        if (version.empty() ? test(*at) : at->version == version) return *at;
    refuse(project.name + " has no such release" + (version.empty() ? "" : ": " + version));
}

struct Context {
    Index& index;
    Project& project;
    const EventRequest& request;
    Random& random;
};

using Paths = std::vector<std::string>;

Paths create_project(const Context& c) {
    if (!c.project.removed) refuse(c.project.name + " is there already");
    create(c.index, c.project, c.random);
    return {};
}

Paths new_release(const Context& c) {
    ReleasePlan plan;
    plan.version =
        c.request.version.empty() ? next_version(c.project, c.random) : c.request.version;
    plan.requires_python = ">=3.8";
    if (c.project.release(plan.version) != nullptr)
        refuse(c.project.name + " has a release " + plan.version);
    add_release(c.index, c.project, plan, c.random);
    return paths_of(c.project.releases.back());
}

Paths new_project(const Context& c) {
    create_project(c);
    return new_release(c);
}

Paths yank(const Context& c) {
    auto& release = wanted_release(c.project, c.request.version, can_yank);
    release.yanked = c.request.reason;
    c.index.record(c.project, release.version, "yank release");
    return paths_of(release);
}

Paths unyank(const Context& c) {
    auto& release = wanted_release(c.project, c.request.version, is_yanked);
    release.yanked.reset();
    c.index.record(c.project, release.version, "unyank release");
    return paths_of(release);
}

Paths remove_file(const Context& c) {
    for (auto& release : c.project.releases) {
        if (!c.request.version.empty() && release.version != c.request.version) continue;
        for (auto file = release.files.begin(); file != release.files.end(); ++file) {
            const auto name = file->blob->filename();
            if (!c.request.file.empty() && name != c.request.file) continue;
            Paths paths{file->blob->digests().path};
            release.files.erase(file);
            c.index.record(c.project, release.version, "remove file " + name);
            return paths;
        }
    }
    refuse(c.project.name + " has no such file: " + c.request.file);
}

Paths remove_release(const Context& c) {
    auto& release = wanted_release(c.project, c.request.version, is_any);
    auto paths = paths_of(release);
    c.index.record(c.project, release.version, "remove release");
    c.project.releases.erase(c.project.releases.begin() + (&release - c.project.releases.data()));
    return paths;
}

Paths remove_project(const Context& c) {
    auto paths = paths_of(c.project);
    c.index.record(c.project, {}, "remove project");
    c.project.releases.clear();
    c.project.extra_files.clear();
    c.project.status = Status::active;
    c.project.removed = true;
    return paths;
}

Paths quarantine(const Context& c) {
    if (c.project.status == Status::quarantined) refuse(c.project.name + " is in quarantine");
    c.project.status = Status::quarantined;
    c.index.record(c.project, {}, "project quarantined");
    return paths_of(c.project);
}

Paths clear_quarantine(const Context& c) {
    if (c.project.status != Status::quarantined) refuse(c.project.name + " is in no quarantine");
    c.project.status = Status::active;
    c.index.record(c.project, {}, "project quarantine cleared");
    return paths_of(c.project);
}

Paths quarantine_release(const Context& c) {
    auto& release = wanted_release(c.project, c.request.version, can_quarantine);
    release.quarantined = true;
    c.index.record(c.project, release.version, "release quarantined");
    return paths_of(release);
}

Paths clear_release_quarantine(const Context& c) {
    auto& release = wanted_release(c.project, c.request.version, is_quarantined);
    release.quarantined = false;
    c.index.record(c.project, release.version, "release quarantine cleared");
    return paths_of(release);
}

// Archiving is in no journal: the serial stays (W:utils/project.py:309-343).
Paths archive(const Context& c) {
    if (c.project.status != Status::active) refuse(c.project.name + " is not active");
    c.project.status = Status::archived;
    return {};
}

Paths unarchive(const Context& c) {
    if (c.project.status != Status::archived) refuse(c.project.name + " is not archived");
    c.project.status = Status::active;
    return {};
}

Paths role(const Context& c) {
    note_roles(c.index, c.project, c.random);
    return {};
}

struct Action {
    const char* name;
    Paths (*run)(const Context&);
    // Which projects it can be chosen for; null: a new one.
    bool (*fits)(const Project&);
    bool takes_away;
    bool in_journal;
};

bool has_any_file(const Project& p) {
    return any_release(p, has_files);
}

constexpr std::array<Action, 15> actions{{
    {"new-project", new_project, nullptr, false, true},
    {"create", create_project, nullptr, false, true},
    {"new-release", new_release, [](const Project&) { return true; }, false, true},
    {"yank", yank, [](const Project& p) { return any_release(p, can_yank); }, false, true},
    {"unyank", unyank, [](const Project& p) { return any_release(p, is_yanked); }, false, true},
    {"remove-file", remove_file, has_any_file, true, true},
    {"remove-release", remove_release, [](const Project& p) { return !p.releases.empty(); }, true,
     true},
    {"remove-project", remove_project, [](const Project&) { return true; }, true, true},
    {"quarantine", quarantine, [](const Project& p) { return p.status != Status::quarantined; },
     true, true},
    {"clear-quarantine", clear_quarantine,
     [](const Project& p) { return p.status == Status::quarantined; }, false, true},
    {"quarantine-release", quarantine_release,
     [](const Project& p) { return any_release(p, can_quarantine); }, true, true},
    {"clear-release-quarantine", clear_release_quarantine,
     [](const Project& p) { return any_release(p, is_quarantined); }, false, true},
    {"archive", archive, [](const Project& p) { return p.status == Status::active; }, false, false},
    {"unarchive", unarchive, [](const Project& p) { return p.status == Status::archived; }, false,
     false},
    {"role", role, [](const Project&) { return true; }, false, true},
}};

std::string fresh_name(const Index& index, Random& random) {
    for (;;) {
        auto name = "Fresh_Sample-" + std::to_string(random.below(1'000'000));
        if (index.find(normalized(name)) == nullptr) return name;
    }
}

Project& subject(Index& index, const Action& action, const std::string& asked, Random& random) {
    const bool is_new = action.fits == nullptr;
    const auto name = asked.empty() && is_new ? fresh_name(index, random) : asked;
    Project* project = index.find(normalized(name));
    if (project != nullptr && !project->removed) return *project;
    if (is_new) {
        auto& added = index.add_project(name);
        added.removed = true;
        return added;
    }
    if (!asked.empty()) refuse("no project " + asked);
    std::vector<Project*> fitting;
    for (Project* one : index.projects())
        if (!one->removed && action.fits(*one) && !(action.takes_away && is_lasting(*one)))
            fitting.push_back(one);
    if (fitting.empty()) refuse(std::string{"no project fits "} + action.name);
    return *random.pick(fitting);
}

Event run(Index& index, const Action& action, const EventRequest& request, Random& random) {
    auto& project = subject(index, action, request.project, random);
    auto before = project;
    const auto serial_before = index.serial();
    index.set_now(index.now_us() + random.between(1'000'000, 90'000'000));
    Event event;
    event.touched = action.run({index, project, request, random});
    event.project = project.name;
    event.serial = index.serial();
    index.remember(project, std::move(before), serial_before);
    return event;
}

const Action& action_named(const std::string& name) {
    for (const auto& action : actions)
        if (action.name == name) return action;
    std::string known;
    for (const auto& action : actions) known += std::string{" "} + action.name;
    refuse("no action '" + name + "', but:" + known);
}

}  // namespace

Event apply(Index& index, const EventRequest& request) {
    Random random{seed_for(index.seed(), request.action + std::to_string(index.serial()))};
    return run(index, action_named(request.action), request, random);
}

Event add_extra(Index& index, const std::string& project, const std::string& file_json) {
    Project* found = index.find(normalized(project));
    if (found == nullptr || found->removed) refuse("no project " + project);
    auto before = *found;
    const auto serial_before = index.serial();
    found->extra_files.push_back(file_json);
    index.record(*found, "0", "add source file extra-0.tar.gz");
    index.remember(*found, std::move(before), serial_before);
    return {index.serial(), found->name, {}};
}

std::vector<std::string> apply_random(Index& index, int count, std::uint64_t seed) {
    Random random{seed_for(index.seed(), "random events") ^ seed};
    std::set<std::string> touched;
    for (int done = 0; done < count;) {
        const auto& action = random.pick(actions);
        if (!action.in_journal) continue;
        EventRequest request{action.name, {}, {}, {}, some_yank_reason(random)};
        try {
            touched.insert(run(index, action, request, random).project);
            ++done;
        } catch (const std::invalid_argument&) {
            // Nothing fits it now (there may be no quarantine to clear): another one.
            continue;
        }
    }
    return {touched.begin(), touched.end()};
}

}  // namespace sample
