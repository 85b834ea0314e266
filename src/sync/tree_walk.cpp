#include "pep381d/sync/tree_walk.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/knowledge.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

constexpr std::size_t files_a_step = 500;
// What reading a row costs, as a part of an entry of the tree.
constexpr std::size_t rows_an_entry = 8;
// Walks that are not done yet.
constexpr std::size_t walks_most = 200;
// Each level keeps a directory open.
constexpr std::size_t levels_most = 200;

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view name_of(FileKind kind) {
    constexpr std::array<std::string_view, 4> names{"file", "directory", "symbolic link",
                                                    "special file"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace

TreeWalk::TreeWalk(State& state, FileTree& tree, Formats formats, bool hands_out,
                   std::size_t places_most)
    : state_(state),
      tree_(tree),
      formats_(std::move(formats)),
      names_strays_(!may_be_lost(state)),
      hands_out_(hands_out),
      places_most_(places_most) {
    to_visit_ = {{layout::staging, Area::staging}, {layout::web, Area::web}};
}

TreeWalk::~TreeWalk() = default;

void TreeWalk::add(Flaw flaw, const std::string& path, std::string cause) {
    if (flaw == Flaw::stray && !names_strays_) return;
    findings_.push_back({flaw, path, std::move(cause), std::nullopt});
}

void TreeWalk::add_stray(const std::string& path, FileKind kind) {
    // What lies behind a link may be the mirror's, moved elsewhere by its operator.
    if (kind == FileKind::link)
        add(Flaw::wrong_kind, path,
            "a symbolic link that is not the mirror's; it is not followed: remove it, or mount "
            "there what it leads to");
    else
        add(Flaw::stray, path, fmt::format("a {} that nothing owns", name_of(kind)));
}

std::size_t TreeWalk::go_on(std::size_t most) {
    std::size_t done = 0;
    while (done < most && !ended()) {
        if (gathered_) {
            done += gather(most - done);
            continue;
        }
        if (!seen_.empty()) {
            judge(seen_.front());
            seen_.pop_front();
            ++done;
            continue;
        }
        if (!walks_.empty() && !hands_out_) {
            done += walks_.front()->go_on(most - done);
            auto walk = std::move(walks_.front());
            walks_.pop_front();
            ++handed_out_;
            take_back(std::move(walk));
            continue;
        }
        const bool listed = open_.empty() && to_visit_.empty();
        if (listed || walks_.size() + handed_out_ >= walks_most) return done;
        ++done;
        if (open_.empty()) {
            const auto [path, area] = std::move(to_visit_.back());
            to_visit_.pop_back();
            if (area == Area::packages) enter_packages();
            enter(path, area);
            continue;
        }
        auto entry = open_.back().listing->next();
        if (!entry) {
            cannot_read(open_.back().path, cause_of(entry.failure()));
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
        cannot_read(path, cause_of(listing.failure()));
        return;
    }
    open_.push_back({path, area, std::move(listing).value()});
    if (area == Area::project) enter_project(open_.back());
}

void TreeWalk::cannot_read(const std::string& path, const std::string& cause) {
    // It may have gone meanwhile.
    const auto look = tree_.look(path);
    if (!look || look.value()) add(Flaw::unreadable, path, cause);
}

void TreeWalk::leave() {
    const Directory directory = std::move(open_.back());
    open_.pop_back();
    if (directory.area == Area::packages && ++part_ < parts_)
        to_visit_.emplace_back(directory.path, Area::packages);
    const bool below = std::count(directory.path.begin(), directory.path.end(), '/') >= 2;
    if (!directory.empty || !below || directory.area == Area::status) return;
    if (!directory.awaited && !directory.known) judge_empty(directory.path);
}

void TreeWalk::judge_empty(const std::string& path) {
    const std::string place = layout::below_web(path);
    // Where a file or a page belongs, the fault is found with the project.
    if (state_.awaits_below(place) || may_lie_there(place)) return;
    // Something may have come, or it may have gone, since it was listed.
    const auto listing = tree_.list(path);
    if (!listing) return;
    if (const auto entry = listing.value()->next(); entry && !entry.value())
        add(Flaw::stray, path, "an empty directory");
}

void TreeWalk::see(Directory& in, const Entry& entry) {
    const std::string path = in.path + "/" + entry.name;
    switch (in.area) {
        case Area::web:
            see_in_web(entry);
            break;
        case Area::status:
            if (!is_one_of(entry.name, {"index.html", "status.json", "changes"}) ||
                entry.kind != FileKind::file)
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
        case Area::signatures:
            see_in_signatures(entry);
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
                                                                   {"serversig", Area::signatures},
                                                                   {"pypi", Area::nobodys}}};
    const std::string path = layout::published(entry.name);
    const auto* found = std::find_if(ours.begin(), ours.end(),
                                     [&](const auto& one) { return entry.name == one.first; });
    if (found == ours.end()) {
        // Those are the mirror's, but not the state's.
        if (!is_one_of(entry.name,
                       {"last-modified", "local-stats", "serverkey", "serverkey.ed25519"}))
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

// Whether it is the right one is found with the project.
void TreeWalk::see_in_signatures(const Entry& entry) {
    const std::string path = "web/serversig/" + entry.name;
    const auto project = ProjectName::parse(entry.name.substr(0, entry.name.find('.')));
    const bool legal = project && (layout::published(layout::signature(*project)) == path ||
                                   layout::published(layout::signature_ed25519(*project)) == path);
    if (legal) {
        const auto known = state_.published(*project);
        if (!formats_.settled || (formats_.keys && known && known->page)) return;
        const auto copied = formats_.copied ? state_.copied(*project) : std::nullopt;
        if (copied && !copied->signature.empty() &&
            path == layout::published(layout::signature(*project)))
            return;
        if (state_.queued(*project) || state_.awaits(layout::below_web(path))) return;
    }
    if (entry.kind == FileKind::directory)
        enter(path, Area::nobodys);
    else
        add_stray(path, entry.kind);
}

void TreeWalk::enter_project(Directory& directory) {
    const auto name = ProjectName::parse(directory.path.substr(directory.path.rfind('/') + 1));
    const auto known = state_.published(*name);
    directory.known = known && known->page;
    directory.awaited =
        !directory.known && (state_.queued(*name).has_value() ||
                             state_.awaits_below(layout::below_web(directory.path)));
    if (directory.awaited && !known) waiting_.push_back(*name);
}

void TreeWalk::see_in_project(const Directory& in, const Entry& entry) {
    const std::string path = in.path + "/" + entry.name;
    const bool html = is_one_of(entry.name, {"index.html", "index.v1_html"});
    const bool json = entry.name == "index.v1_json";
    const bool wanted = !formats_.settled || (html && formats_.html) || (json && formats_.json);
    // Whether it is the right one is found with the project.
    if ((html || json) && (in.awaited || (in.known && wanted))) return;
    if (state_.awaits(layout::below_web(path))) return;
    if (entry.kind == FileKind::directory)
        enter(path, Area::nobodys);
    else
        add_stray(path, entry.kind);
}

void TreeWalk::enter_packages() {
    // Companions lie beside about half of the files.
    if (parts_ == 0)
        parts_ = 1 + 2 * static_cast<std::size_t>(state_.totals().files) / places_most_;
    held_ = std::make_shared<HeldPlaces>(part_, parts_, places_most_);
    gathered_.emplace();
}

std::size_t TreeWalk::gather(std::size_t most) {
    for (std::size_t done = 0; done < most; done += files_a_step / rows_an_entry)
        if (!state_.next_held(*gathered_, files_a_step,
                              [&](const std::string& path) { held_->add(path); })) {
            held_->settle();
            gathered_.reset();
            return done + 1;
        }
    return most;
}

void TreeWalk::see_in_packages(const Entry& entry, const std::string& path) {
    const std::string place = layout::below_web(path);
    if (!held_->in_part(place)) return;
    if (entry.kind == FileKind::directory)
        walks_.push_back(std::make_unique<PackageWalk>(tree_, held_, path));
    else if (!held_->contains(place))
        judge({PackageWalk::What::not_held, path, entry.kind, {}});
}

std::vector<std::unique_ptr<PackageWalk>> TreeWalk::take_walks() {
    std::vector<std::unique_ptr<PackageWalk>> walks(std::make_move_iterator(walks_.begin()),
                                                    std::make_move_iterator(walks_.end()));
    walks_.clear();
    handed_out_ += walks.size();
    return walks;
}

void TreeWalk::take_back(std::unique_ptr<PackageWalk> walk) {
    --handed_out_;
    for (PackageWalk::Seen& seen : walk->take()) seen_.push_back(std::move(seen));
    if (!walk->ended()) walks_.push_front(std::move(walk));
}

bool TreeWalk::ended() const {
    return open_.empty() && to_visit_.empty() && !gathered_ && walks_.empty() && handed_out_ == 0 &&
           seen_.empty();
}

void TreeWalk::judge(const PackageWalk::Seen& seen) {
    switch (seen.what) {
        case PackageWalk::What::not_held:
            judge_not_held(seen);
            break;
        case PackageWalk::What::empty_directory:
            judge_empty(seen.path);
            break;
        case PackageWalk::What::unreadable:
            add(Flaw::unreadable, seen.path, seen.cause);
            break;
        case PackageWalk::What::too_deep:
            add(Flaw::stray, seen.path, "it lies deeper than anything that the mirror makes");
            break;
    }
}

void TreeWalk::judge_not_held(const PackageWalk::Seen& seen) {
    if (may_lie_there(layout::below_web(seen.path))) return;
    // It may have gone since it was seen.
    const auto look = tree_.look(seen.path);
    if (!look || look.value()) add_stray(seen.path, seen.kind);
}

bool TreeWalk::may_lie_there(const std::string& below_web) {
    return state_.owned(below_web) || state_.awaits(below_web);
}

}  // namespace pep381d
