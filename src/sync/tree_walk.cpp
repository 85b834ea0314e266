#include "pep381d/sync/tree_walk.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

// So many owners are looked for in one pass over all files.
constexpr std::size_t suspects_most = 20'000;
constexpr std::size_t files_a_step = 500;
// Each level keeps a directory open. PyPI's paths have 5.
constexpr std::size_t levels_most = 200;

std::string below_web(const std::string& path) {
    return path.substr(layout::web.size() + 1);
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view name_of(FileKind kind) {
    constexpr std::array<std::string_view, 4> names{"file", "directory", "symbolic link",
                                                    "special file"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace

TreeWalk::TreeWalk(State& state, FileTree& tree, const Formats& formats)
    : state_(state), tree_(tree), formats_(formats) {
    to_visit_ = {{layout::staging, Area::staging}, {layout::web, Area::web}};
}

TreeWalk::~TreeWalk() = default;

void TreeWalk::add(Flaw flaw, const std::string& path, std::string cause) {
    findings_.push_back({flaw, path, std::move(cause), std::nullopt});
}

void TreeWalk::add_stray(const std::string& path, FileKind kind) {
    add(Flaw::stray, path, fmt::format("a {} that nothing owns", name_of(kind)));
}

std::size_t TreeWalk::go_on(std::size_t most) {
    std::size_t done = 0;
    while (done < most && !ended()) {
        const bool walked = open_.empty() && to_visit_.empty();
        if (searched_ || walked || suspects_.size() >= suspects_most) {
            done += clear_suspects(most - done);
            continue;
        }
        ++done;
        if (open_.empty()) {
            const auto [path, area] = std::move(to_visit_.back());
            to_visit_.pop_back();
            enter(path, area);
            continue;
        }
        auto entry = open_.back().listing->next();
        if (!entry) {
            add(Flaw::unreadable, open_.back().path, entry.failure().what);
            open_.pop_back();
        } else if (!entry.value()) {
            leave();
        } else {
            open_.back().empty = false;
            see(open_.back(), *entry.value());
        }
    }
    return done;
}

void TreeWalk::enter(const std::string& path, Area area) {
    if (open_.size() >= levels_most) {
        add(Flaw::stray, path, "it lies deeper than anything that the mirror makes");
        return;
    }
    auto listing = tree_.list(path);
    if (!listing) {
        // It may have gone meanwhile.
        const auto look = tree_.look(path);
        if (!look || look.value()) add(Flaw::unreadable, path, listing.failure().what);
        return;
    }
    open_.push_back({path, area, std::move(listing).value()});
    if (area == Area::project) enter_project(open_.back());
}

void TreeWalk::leave() {
    const Directory directory = std::move(open_.back());
    open_.pop_back();
    const bool below = std::count(directory.path.begin(), directory.path.end(), '/') >= 2;
    if (!directory.empty || !below || directory.area == Area::status) return;
    const std::string path = below_web(directory.path);
    if (directory.awaited || state_.awaits_below(path)) return;
    // Where a file or a page belongs, the fault is found with the project.
    if (directory.known || may_lie_there(path)) return;
    add(Flaw::stray, directory.path, "an empty directory");
}

void TreeWalk::see(Directory& in, const Entry& entry) {
    const std::string path = in.path + "/" + entry.name;
    switch (in.area) {
        case Area::web:
            see_in_web(entry);
            break;
        case Area::status:
            if (!is_one_of(entry.name, {"index.html", "status.json"}))
                add(Flaw::foreign, path, "not the mirror's; it is left alone");
            break;
        case Area::staging:
            add(Flaw::leftover, path, "a pass that did not end well left it, or one is under way");
            break;
        case Area::simple:
            see_in_simple(entry);
            break;
        case Area::project:
            see_in_project(in, entry);
            break;
        case Area::packages:
            see_in_packages(entry, path);
            break;
        case Area::nobodys:
            if (entry.kind == FileKind::directory)
                enter(path, Area::nobodys);
            else
                add_stray(path, entry.kind);
            break;
    }
}

void TreeWalk::see_in_web(const Entry& entry) {
    static const std::array<std::pair<const char*, Area>, 5> ours{{{"simple", Area::simple},
                                                                   {"packages", Area::packages},
                                                                   {"status", Area::status},
                                                                   {"serversig", Area::nobodys},
                                                                   {"pypi", Area::nobodys}}};
    const std::string path = layout::published(entry.name);
    const auto* found = std::find_if(ours.begin(), ours.end(),
                                     [&](const auto& one) { return entry.name == one.first; });
    if (found == ours.end()) {
        // Those are the mirror's, but not the state's.
        if (!is_one_of(entry.name, {"last-modified", "local-stats", "serverkey"}))
            add(Flaw::foreign, path, "not the mirror's; it is left alone");
    } else if (entry.kind == FileKind::directory) {
        to_visit_.emplace_back(path, found->second);
    } else {
        add(Flaw::wrong_kind, path,
            fmt::format("a {} lies where the mirror's directory belongs; it is not followed",
                        name_of(entry.kind)));
    }
}

void TreeWalk::see_in_simple(const Entry& entry) {
    const std::string path = "web/simple/" + entry.name;
    const bool html = is_one_of(entry.name, {"index.html", "index.v1_html"});
    const bool json = entry.name == "index.v1_json";
    if (html || json) {
        const bool wanted = !formats_.settled || (html ? formats_.html : formats_.json);
        if (!wanted) add_stray(path, entry.kind);
        return;
    }
    const auto name = ProjectName::parse(entry.name);
    const bool legal = name && name->text() == entry.name;
    if (entry.kind == FileKind::directory)
        enter(path, legal ? Area::project : Area::nobodys);
    else
        add_stray(path, entry.kind);
}

void TreeWalk::enter_project(Directory& directory) {
    const auto name = ProjectName::parse(directory.path.substr(directory.path.rfind('/') + 1));
    const auto known = state_.published(*name);
    directory.known = known && known->page;
    directory.awaited = !directory.known && (state_.queued(*name).has_value() ||
                                             state_.awaits_below(below_web(directory.path)));
    if (directory.awaited && !known) waiting_.push_back(*name);
}

void TreeWalk::see_in_project(const Directory& in, const Entry& entry) {
    const std::string path = in.path + "/" + entry.name;
    const bool html = is_one_of(entry.name, {"index.html", "index.v1_html"});
    const bool json = entry.name == "index.v1_json";
    const bool wanted = !formats_.settled || (html && formats_.html) || (json && formats_.json);
    // Whether it is the right one is found with the project.
    if ((html || json) && (in.awaited || (in.known && wanted))) return;
    if (state_.awaits(below_web(path))) return;
    if (entry.kind == FileKind::directory)
        enter(path, Area::nobodys);
    else
        add_stray(path, entry.kind);
}

void TreeWalk::see_in_packages(const Entry& entry, const std::string& path) {
    if (entry.kind == FileKind::directory) {
        enter(path, Area::packages);
        return;
    }
    const std::string place = below_web(path);
    if (may_lie_there(place)) return;
    suspects_.emplace(place, entry.kind);
}

bool TreeWalk::may_lie_there(const std::string& below_web) {
    return state_.holds_by_name(below_web) || state_.awaits(below_web);
}

// Goes on with the pass over all files.
std::size_t TreeWalk::clear_suspects(std::size_t most) {
    if (!searched_) searched_.emplace();
    for (std::size_t done = 0; done < most; done += files_a_step)
        if (!state_.next_held(*searched_, files_a_step,
                              [&](const std::string& path) { suspects_.erase(path); })) {
            judge_suspects();
            return done + 1;
        }
    return most;
}

void TreeWalk::judge_suspects() {
    for (const auto& [place, kind] : std::exchange(suspects_, {})) {
        const std::string path = layout::published(place);
        const auto look = tree_.look(path);
        if (look && !look.value()) continue;
        if (!may_lie_there(place)) add_stray(path, kind);
    }
    searched_.reset();
}

}  // namespace pep381d
