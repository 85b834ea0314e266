#include "pep381d/sync/repairs.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "pep381d/sync/examination.h"
#include "pep381d/sync/intake.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/tree/layout.h"
#include "pep381d/tree/proof.h"

#include "sync/must.h"

namespace pep381d {

namespace {

constexpr int levels_most = 300;

bool is_ours(const std::string& path) {
    for (const char* root : {"web/simple/", "web/packages/", "web/serversig/", "web/pypi/"})
        if (path.starts_with(root)) return true;
    return false;
}

bool is_root_index(const std::string& path) {
    return path == layout::root_html || path == layout::root_v1_html || path == layout::root_json;
}

// The project whose directory of pages the path lies in.
std::optional<ProjectName> project_of_page(const std::string& path) {
    const std::string root = layout::published("simple/");
    if (!path.starts_with(root)) return std::nullopt;
    const std::string rest = path.substr(root.size());
    const auto slash = rest.find('/');
    if (slash == std::string::npos || rest.find('/', slash + 1) != std::string::npos)
        return std::nullopt;
    auto name = ProjectName::parse(rest.substr(0, slash));
    if (!name || name->text() != rest.substr(0, slash)) return std::nullopt;
    return name;
}

}  // namespace

Repairs::Repairs(State& state, FileTree& tree, Publisher& publisher, const Clock& clock,
                 std::function<bool(const ProjectName&)> is_busy,
                 std::function<void(const ProjectName&)> claim)
    : state_(state),
      tree_(tree),
      publisher_(publisher),
      clock_(clock),
      is_busy_(std::move(is_busy)),
      claim_(std::move(claim)) {}

bool Repairs::add(const Finding& finding) {
    if (finding.flaw == Flaw::access) return false;
    if (!std::exchange(counted_, true)) publisher_.count_change();
    if (finding.path == layout::last_modified) {
        // None is better than a wrong one. The state forgets it first: what it says is there is
        // not published again.
        {
            State::Change change(state_);
            state_.set(Note::last_modified, Time{});
            change.commit();
        }
        must(clear_away(finding.path, levels_most));
        return true;
    }
    if (finding.path == layout::server_key || finding.path == layout::server_key_ed25519) {
        must(clear_away(finding.path, levels_most));
        publisher_.show_keys();
        return true;
    }
    if (!is_ours(finding.path)) return false;
    if (is_root_index(finding.path)) {
        remake_root(finding);
        return true;
    }
    if (finding.project) {
        // At once: whoever works on the project now puts a page or a file there.
        if (finding.flaw == Flaw::wrong_kind) make_way(finding.path);
        projects_[*finding.project].push_back(finding);
        return !is_unread(*finding.project) || !project_of_page(finding.path);
    }
    return finding.flaw == Flaw::stray && remove_stray(finding);
}

bool Repairs::remove_stray(const Finding& finding) {
    // The root index that names such a page goes first.
    const auto name = project_of_page(finding.path);
    const auto known = name ? state_.published(*name) : std::nullopt;
    const bool page = finding.path.ends_with("/index.html") ||
                      finding.path.ends_with("/index.v1_html") ||
                      finding.path.ends_with("/index.v1_json");
    const auto look = tree_.look(finding.path);
    if (name && page && !known && look && look.value() &&
        look.value()->kind != FileKind::directory) {
        State::Change change(state_);
        state_.drop_project(*name);
        change.commit();
        return true;
    }
    // A stray does no harm: that somebody else's cannot be removed ends nothing.
    return static_cast<bool>(clear_away(finding.path, levels_most));
}

// Removes what lies there, with all below it where it is a directory.
Done Repairs::clear_away(const std::string& path, int levels) {
    const auto look = tree_.look(path);
    if (!look) return look.failure();
    if (!look.value()) return Nothing{};
    if (look.value()->kind == FileKind::directory && levels > 0) {
        const auto listing = tree_.list(path);
        if (!listing) return listing.failure();
        for (;;) {
            const auto entry = listing.value()->next();
            if (!entry) {
                // What is removed takes the directories with it that it leaves empty.
                const auto left = tree_.look(path);
                if (left && !left.value()) return Nothing{};
                return entry.failure();
            }
            if (!entry.value()) break;
            Done below = clear_away(path + "/" + entry.value()->name, levels - 1);
            if (!below) return below;
        }
    }
    return tree_.remove(path);
}

// A file is replaced by a rename, without a moment in which it is not there.
void Repairs::make_way(const std::string& path) {
    const auto look = must(tree_.look(path));
    if (look && look->kind != FileKind::file) must(clear_away(path, levels_most));
}

void Repairs::remake_root(const Finding& finding) {
    if (finding.flaw == Flaw::stray) return must(clear_away(finding.path, levels_most));
    if (finding.flaw == Flaw::wrong_kind) make_way(finding.path);
    State::Change change(state_);
    state_.set(Note::root_changes, state_.number(Note::root_changes).value_or(0) + 1);
    change.commit();
    publisher_.want_root();
}

void Repairs::go_on() {
    for (auto project = projects_.begin(); project != projects_.end();) {
        const auto now = project++;
        if (mend(now->first, now->second)) projects_.erase(now);
    }
}

// Its page is still to be read: one that lies here, of before, is not replaced until then.
bool Repairs::is_unread(const ProjectName& name) {
    const auto known = state_.published(name);
    return (!known || !known->page) && (state_.queued(name) || may_be_lost(state_));
}

// False: somebody else works on it.
bool Repairs::mend(const ProjectName& name, const std::vector<Finding>& findings) {
    if (is_busy_(name)) return false;
    const auto known = state_.published(name);
    if (!known || !known->page) {
        State::Change change(state_);
        if (!is_unread(name)) state_.drop_project(name);
        // What lies here whole is used again with its first page.
        for (const Finding& finding : findings)
            state_.forget_file(name, layout::below_web(finding.path));
        change.commit();
    } else if (!leave_out(name, findings, state_.copied(name).has_value())) {
        publisher_.remake(name);
    }
    return true;
}

// The page without what is damaged of its files; false where nothing is, and it is of our making.
bool Repairs::leave_out(const ProjectName& name, const std::vector<Finding>& findings,
                        bool copied) {
    std::vector<std::string> damaged;
    for (const Finding& finding : findings)
        if (std::string path = layout::below_web(finding.path); state_.holds(name, path))
            damaged.push_back(std::move(path));
    if (damaged.empty() && !copied) return false;
    fetch_again(name, damaged);
    return true;
}

void Repairs::take_up() {
    for (const ProjectName& name : state_.torn())
        if (!state_.copied(name) || !stands(name)) fetch_again(name, {});
}

// Its page, whichever it is, names nothing that is not there. A copied one could not be made again.
bool Repairs::stands(const ProjectName& name) {
    Scope scope;
    scope.formats.settled = false;
    scope.formats.copied = true;
    Examination look(tree_, std::make_shared<Subject>(Subject{name, 0, {}, true, true, {}}), scope);
    while (!look.ended()) look.go_on(static_cast<std::size_t>(-1));
    return std::all_of(look.findings().begin(), look.findings().end(),
                       [](const Finding& finding) { return finding.flaw == Flaw::access; });
}

// What its page names and is not there, of what a killed run was about to place. What is whole is
// in doubt no longer.
std::vector<std::string> Repairs::look_at_doubts(const ProjectName& name) {
    std::vector<std::string> left = state_.in_doubt(name);
    std::erase_if(left, [&](const std::string& path) { return !state_.holds(name, path); });
    if (left.empty()) return left;
    const auto page = state_.page(name);
    const auto is_whole = [&](const std::string& path) {
        for (const File& file : page->files)
            for (const bool metadata : {false, true}) {
                const bool held = metadata ? file.metadata_held : file.held;
                if (!held || path != (metadata ? layout::metadata(file.path) : file.path)) continue;
                const auto whole =
                    lies_whole(tree_, layout::published(path), expected_of(file, metadata));
                return whole && whole.value();
            }
        return false;
    };
    const auto whole = std::stable_partition(left.begin(), left.end(), std::not_fn(is_whole));
    if (whole == left.end()) return left;
    // A killed run may have put it back without a flush: the power could take that away again.
    must(tree_.flush());
    State::Change change(state_);
    std::for_each(whole, left.end(),
                  [&](const std::string& path) { state_.not_placed(name, path); });
    change.commit();
    left.erase(whole, left.end());
    return left;
}

// Its page goes on without what is damaged, until that is here again. And without what it names of
// what is in doubt: once it is recorded nothing of that is.
void Repairs::fetch_again(const ProjectName& name, std::vector<std::string> damaged) {
    for (std::string& path : look_at_doubts(name)) damaged.push_back(std::move(path));
    const auto known = state_.published(name);
    {
        State::Change change(state_);
        for (const std::string& path : damaged) state_.note_damaged(name, path);
        state_.enqueue(name, known->display, Serial{}, Loss::nothing, clock_.now(), true);
        change.commit();
    }
    PageReady ready{*state_.page(name)};
    // It differs from what may have been read meanwhile.
    if (numbers_ours(state_) && !state_.copied(name))
        ready.page.serial = own_serial(state_, clock_.now());
    ready.display = known->display;
    ready.handled = Serial{-1};  // it stays in the queue
    ready.read = false;
    claim_(name);
    publisher_.add(std::move(ready));
}

}  // namespace pep381d
