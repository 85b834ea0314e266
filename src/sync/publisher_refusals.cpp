// What has no place in the tree, and what becomes of its page.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/intake.h"
#include "pep381d/sync/publisher.h"
#include "pep381d/tree/layout.h"
#include "pep381d/tree/proof.h"

#include "sync/must.h"

namespace pep381d {

namespace {

constexpr int levels_most = 64;
// Somebody has to remove it: until then it is not tried as often as what passes by itself.
constexpr std::chrono::minutes obstacle_pause{10};

// Each file of a group is compared with all others, and they may be thousands.
bool lies_at(const FileArrived& file, std::string_view path) {
    const std::string& own = file.file.path;
    return path.starts_with(own) && (file.metadata ? path == layout::metadata(own) : path == own);
}

}  // namespace

// Another project's file keeps its place. All else is for whoever looks after this mirror to
// remove.
Publisher::NoPlace Publisher::in_its_way(const std::string& path, const std::string& cause) {
    if (another_lies_there(path)) return {path + ": another project's file lies in its way"};
    return {cause, obstacle_pause};
}

// Of what belongs to the tree: web/ itself may be a link.
std::optional<std::string> Publisher::obstacle_on_way_to(const std::string& path) {
    for (auto end = path.find('/'); end != std::string::npos;) {
        end = path.find('/', end + 1);
        if (end == std::string::npos) break;
        const std::string above = path.substr(0, end);
        const auto look = tree_.look(above);
        if (!look) return look.failure().what;
        if (!look.value()) break;
        if (look.value()->kind != FileKind::directory)
            return above +
                   ": something else lies where a directory belongs; remove what lies there";
    }
    return std::nullopt;
}

// Or there: what is not a directory is replaced.
std::optional<std::string> Publisher::obstacle_to(const std::string& path) {
    if (auto obstacle = obstacle_on_way_to(path)) return obstacle;
    const auto look = tree_.look(path);
    if (!look) return look.failure().what;
    if (!look.value() || look.value()->kind != FileKind::directory) return std::nullopt;
    return path + ": a directory lies where a file belongs; remove it";
}

// On the way there, or below.
bool Publisher::another_lies_there(const std::string& path) {
    const auto clash = [&](const FileArrived& other) {
        const std::string theirs = path_of(other);
        return path.starts_with(theirs + "/") || theirs.starts_with(path + "/");
    };
    for (const Group* group : {&fresh_, &flushed_, &placed_, &shown_})
        if (std::any_of(group->files.begin(), group->files.end(), clash)) return true;
    for (auto end = path.rfind('/'); end != std::string::npos; end = path.substr(0, end).rfind('/'))
        if (state_.owned(path.substr(0, end))) return true;
    std::string below = path;
    for (int levels = 0; levels < levels_most; ++levels) {
        const auto listing = tree_.list(layout::published(below));
        if (!listing) return false;
        const auto entry = listing.value()->next();
        if (!entry || !entry.value()) return false;
        below += "/" + entry.value()->name;
        if (state_.owned(below)) return true;
    }
    return false;
}

// Another project names other bytes for this path, or may do so.
std::optional<Publisher::NoPlace> Publisher::taken_by_another(const FileArrived& file,
                                                              const std::string& path) {
    constexpr std::chrono::seconds soon{0};
    const auto digest = expected_of(file.file, file.metadata).digest;
    const auto owners = state_.owners_otherwise(file.project, path, file.file);
    // The owner's page may be one that gives it up, or has these bytes for it too. Where what goes
    // is kept, one that was read and waits for somebody's place itself does not.
    const auto may_yield = [&](const ProjectName& owner) {
        return state_.queued(owner) && !(policy_.keep_deleted && state_.waits_for_place(owner));
    };
    if (!owners.empty()) {
        NoPlace its{fmt::format("{} belongs to a file of another project, {}", path,
                                owners.front().text())};
        if (std::any_of(owners.begin(), owners.end(), may_yield)) {
            its.again = soon;
            its.fault = Fault::taken;
        }
        return its;
    }
    const NoPlace about_to_be{path + " is about to be another project's file", soon, Fault::taken};
    // What is in its place while its page is still to come.
    std::vector<ProjectName> with_us;
    for (const Group* group : {&flushed_, &placed_, &shown_})
        for (const FileArrived& other : group->files) {
            if (other.project == file.project || !lies_at(other, path)) continue;
            if (!digest || digest != expected_of(other.file, other.metadata).digest)
                return about_to_be;
            with_us.push_back(other.project);
        }
    // Or of a run that was killed. Who is still to be placed is asked then.
    for (const auto* files : {&unplaced_, &fresh_.files})
        for (const FileArrived& other : *files)
            if (lies_at(other, path)) with_us.push_back(other.project);
    for (const ProjectName& other : state_.others_on_the_way(file.project, path))
        if (std::find(with_us.begin(), with_us.end(), other) == with_us.end()) return about_to_be;
    return std::nullopt;
}

// The file is left out. Where its page is staged already, that is made again without it.
void Publisher::refuse(const FileArrived& file, NoPlace why) {
    // Of which no page comes: others are few, since few are worked on at a time.
    constexpr std::size_t most = 10'000;
    if (no_place_.size() == most)
        give_up({Fault::local, fmt::format("{}: {}; so it is with files of {} other projects",
                                           path_of(file), why.cause, most)});
    if (!why.again) why.cause = fmt::format("{}: {}", file.file.url, why.cause);
    no_place_[file.project.text()][path_of(file)] = std::move(why);
    if (!file.staged.empty()) must(tree_.remove(file.staged));
    // What it holds there may have been in doubt before.
    if (!state_.holds(file.project, path_of(file))) {
        State::Change change(state_);
        state_.not_placed(file.project, path_of(file));
        change.commit();
    }
    for (Group* group : {&flushed_, &fresh_}) unstage_page(file.project, *group);
}

void Publisher::forget_refused(const FileArrived& file) {
    const auto its = no_place_.find(file.project.text());
    if (its == no_place_.end()) return;
    its->second.erase(path_of(file));
    if (its->second.empty()) no_place_.erase(its);
}

void Publisher::unstage_page(const ProjectName& project, Group& group) {
    const auto page =
        std::find_if(group.pages.begin(), group.pages.end(),
                     [&](const PageReady& ready) { return ready.page.name == project; });
    if (page == group.pages.end()) return;
    std::erase_if(group.staged, [&](const auto& staged) {
        if (staged.first != project) return false;
        discard_page(tree_, staged.second);
        return true;
    });
    // What was to come with it still does, where it does not stay as it is.
    auto& files = &group == &fresh_ ? fresh_.files : unplaced_;
    const auto kept = std::stable_partition(
        files.begin(), files.end(),
        [&](const FileArrived& file) { return file.project != project || !file.bound; });
    page->kept.assign(std::move_iterator(kept), std::move_iterator(files.end()));
    files.erase(kept, files.end());
    again_.push_back(std::move(*page));
    group.pages.erase(page);
}

// Why, where it had such files. They may have their place when they come again.
std::optional<Publisher::NoPlace> Publisher::leave_out_refused(PageReady& page) {
    const auto found = no_place_.extract(page.page.name.text());
    if (!found) return std::nullopt;
    std::optional<NoPlace> why;
    const auto refused = [&](const std::string& path, const std::string& name) {
        const auto one = found.mapped().find(path);
        if (one == found.mapped().end()) return false;
        if (!why || one->second.again > why->again) why = one->second;
        if (!one->second.again) page.refused.push_back({name, one->second.cause});
        return true;
    };
    std::erase_if(page.page.files, [&](File& file) {
        const std::string& name = file.name.text();
        if (file.metadata_held && refused(layout::metadata(file.path), layout::metadata(name)))
            file.metadata_held = false;
        return refused(file.path, name);
    });
    if (!why) return std::nullopt;
    discard_staged(page);
    return why;
}

void Publisher::discard_staged(PageReady& page) {
    page.text.reset();
    if (page.staged) discard_page(tree_, *page.staged);
    page.staged.reset();
}

// Files of it have no place here, for now or for good.
void Publisher::leave_incomplete(PageReady& page, const NoPlace& why) {
    const bool bound = page.copy && (!why.again || why.fault == Fault::taken);
    const std::string cause = why.cause + (bound ? "; a copied page cannot leave it out" : "");
    if (why.again) {
        // What the master still owes comes first: until then not all that lies here was looked for.
        if (!page.failure) page.failure = Failure{why.fault, cause, *why.again};
        page.etag.clear();
        const auto ours = state_.page(page.page.name);
        const Serial changed = page.page.serial;
        page.page.serial = ours ? ours->serial : Serial{};
        page.same = page.copy || (ours && page.page == *ours && page.kept.empty() &&
                                  !state_.ahead_of_page(page.page.name));
        if (!page.same && numbers_ours(state_)) page.page.serial = changed;
    } else if (page.copy) {
        page.failure = Failure{Fault::corrupt, cause};
        page.same = true;
    }
}

// Where a page cannot be replaced, or its signature cannot, what it replaces stays, too.
void Publisher::look_ahead(PageReady& page) {
    const ProjectName& name = page.page.name;
    std::vector<std::string> paths;
    if (policy_.html) paths = {layout::page_html(name), layout::page_v1_html(name)};
    if (policy_.json) paths.push_back(layout::page_json(name));
    if (is_signed(page)) paths.push_back(layout::signature(name));
    if (policy_.signer) paths.push_back(layout::signature_ed25519(name));
    std::optional<std::string> obstacle;
    for (const std::string& path : paths)
        if (!obstacle) obstacle = obstacle_to(layout::published(path));
    if (!obstacle) return;
    if (!page.failure) page.failure = Failure{Fault::local, *obstacle, obstacle_pause};
    page.etag.clear();
    page.same = true;
}

bool Publisher::is_signed(const PageReady& page) const {
    return policy_.signer != nullptr || (page.copy && !page.copy->signature.empty());
}

void Publisher::refuse_page(const ProjectName& project, const StagedPage& staged, Group& group,
                            const std::string& cause) {
    discard_page(tree_, staged);
    for (PageReady& page : group.pages) {
        if (page.page.name != project) continue;
        if (!page.failure) page.failure = Failure{Fault::local, cause, obstacle_pause};
        // The next try finds it changed.
        if (!numbers_ours(state_)) page.page.serial = Serial{};
        page.page.meta_members.clear();
        page.copy.reset();
        page.etag.clear();
        // Of a quarantined one nothing is listed, and its files go: no page of ours names them.
        page.same = !page.page.quarantined();
        if (page.same) group.refused.push_back(project);
    }
}

}  // namespace pep381d
