#include "pep381d/sync/publisher.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/intake.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/sync/root_files.h"
#include "pep381d/sync/server_keys.h"
#include "pep381d/tree/layout.h"
#include "pep381d/tree/proof.h"

#include "sync/must.h"

namespace pep381d {

Publisher::Publisher(State& state, FileTree& tree, const Policy& policy, const Clock& clock,
                     Recorded recorded)
    : state_(state), tree_(tree), policy_(policy), clock_(clock), recorded_(std::move(recorded)) {}

std::string Publisher::path_of(const FileArrived& file) {
    return file.metadata ? layout::metadata(file.file.path) : file.file.path;
}

std::string write_unwritten(FileTree& tree, FileArrived& file) {
    std::string bytes = *std::exchange(file.unwritten, std::nullopt);
    must(write_file(tree, file.staged, bytes, expected_of(file.file, file.metadata).mtime));
    return bytes;
}

void Publisher::add(FileArrived file) {
    forget_refused(file);  // of its project's work before
    if (file.unwritten) spent_.bytes.push_back(write_unwritten(tree_, file));
    fresh_.files.push_back(std::move(file));
}

void Publisher::add(PageReady page) {
    if (const auto refused = leave_out_refused(page)) leave_incomplete(page, *refused);
    const bool tied = !page.kept.empty() || (page.replaces && (page.copy || policy_.signer));
    if (tied && !page.same && !page.at_once) look_ahead(page);
    for (FileArrived& file : std::exchange(page.kept, {})) {
        file.bound = page.copy.has_value();
        if (!page.same)
            fresh_.files.push_back(std::move(file));
        else if (!file.staged.empty())
            must(tree_.remove(file.staged));
    }
    if (page.same) {
        discard_staged(page);
    } else {
        if (!page.staged) {
            if (!page.text) page.text = page_text(policy_, page.page);
            page.staged = stage(page.page.name, *page.text, page.replaces);
        }
        fresh_.staged.emplace_back(page.page.name, std::move(*page.staged));
        if (page.text) spent_.texts.push_back(std::move(*page.text));
        page.text.reset();
        page.staged.reset();
        // The pages of a state that was lost lose their formats one by one.
        if (state_.number(Note::older_tree)) {
            if (!std::exchange(root_formats_left_, true)) remove_root_of_other_formats();
            leave_out_formats(page.page.name, page.copy.has_value());
        }
    }
    fresh_.pages.push_back(std::move(page));
}

void Publisher::remake(const ProjectName& project) {
    const auto page = state_.page(project);
    if (!page) return;
    const auto copied = policy_.copy ? state_.copied(project) : std::nullopt;
    PageText text = page_text(policy_, *page);
    if (copied) text.html.clear();  // it is as the master sent it
    fresh_.staged.emplace_back(project, stage(project, text, true));
    leave_out_formats(project, copied.has_value());
}

// What was made of them before goes.
void Publisher::leave_out_formats(const ProjectName& project, bool copied) {
    if (!policy_.html)
        for (const std::string& path : {layout::page_html(project), layout::page_v1_html(project)})
            fresh_.obsolete.push_back(path);
    if (!policy_.json) fresh_.obsolete.push_back(layout::page_json(project));
    if (policy_.signer) return;
    fresh_.obsolete.push_back(layout::signature_ed25519(project));
    if (!copied) fresh_.obsolete.push_back(layout::signature(project));
}

StagedPage Publisher::stage(const ProjectName& project, const PageText& text, bool replaces) {
    const std::string name = fmt::format("page-{}", next_page_++);
    return stage_page(tree_, policy_, clock_, project, text, name, replaces);
}

void Publisher::hold_root(bool hold) {
    root_held_ = hold;
    show_keys();
    if (!hold) return;
    count_change();
    remove_root_of_other_formats();
}

void Publisher::remove_root_of_other_formats() {
    remove_unwanted_root(tree_, policy_);
    must(tree_.flush());
}

void Publisher::show_keys() {
    publish_server_keys(tree_, policy_, !root_held_);
}

// What is about to be placed is written down first: a kill before its record must not leave a file
// that nobody knows, nor a page that is taken for the one before.
void Publisher::intend(const Group& files, const Group& pages) {
    for (const FileArrived& file : files.files) state_.intend(file.project, path_of(file));
    const bool ours = numbers_ours(state_);
    for (const PageReady& page : pages.pages) {
        if (page.same) continue;
        if (page.replaces) state_.intend_page(page.page.name);
        if (ours) use_serial(state_, page.page.serial);
    }
}

void Publisher::place_files(Group& group) {
    unplaced_ = std::exchange(group.files, {});
    // Neighbours in the tree one after another: so the file system has less to look for. What
    // is bound to a copied page comes last, when it is known whether that has to stay.
    std::sort(unplaced_.begin(), unplaced_.end(), [](const FileArrived& a, const FileArrived& b) {
        return std::tie(a.bound, a.file.path, a.metadata) >
               std::tie(b.bound, b.file.path, b.metadata);
    });
    for (const FileArrived& file : unplaced_)
        if (auto why = keeps_page(file)) no_place_[file.project.text()][path_of(file)] = *why;
    while (!unplaced_.empty()) {
        FileArrived file = std::move(unplaced_.back());
        unplaced_.pop_back();
        if (auto why = find_place(file)) {
            refuse(file, std::move(*why));
            continue;
        }
        forget_refused(file);
        group.files.push_back(std::move(file));
    }
}

// Nothing where it is in its place.
std::optional<Publisher::NoPlace> Publisher::find_place(FileArrived& file) {
    if (file.found) return look_for(file);
    // Its page stays as it is where another file of it has no place: so does what that names.
    const auto its = no_place_.find(file.project.text());
    if (file.bound && its != no_place_.end()) return its->second.begin()->second;
    return place(file);
}

// Why its copied page has to stay, asked before the first of its files replaces anything.
std::optional<Publisher::NoPlace> Publisher::keeps_page(const FileArrived& file) {
    if (!file.bound || file.found) return std::nullopt;
    const std::string path = path_of(file), to = layout::published(path);
    if (const auto obstacle = obstacle_on_way_to(to)) return in_its_way(path, *obstacle);
    const auto look = tree_.look(to);
    if (!look) return in_its_way(path, look.failure().what);
    if (!look.value()) return std::nullopt;
    if (look.value()->kind != FileKind::file)
        return in_its_way(path, to + ": something else lies in its place; remove it");
    auto taken = taken_by_another(file, path);
    return taken && !lies_there(file, to, true) ? taken : std::nullopt;
}

// The same bytes do already: another project names them too, or a kill came in between.
bool Publisher::lies_there(const FileArrived& file, const std::string& to, bool must_know) {
    Expected expected = expected_of(file.file, file.metadata);
    if (must_know && !expected.digest) expected.digest = must(digest_of(tree_, file.staged));
    const auto whole = lies_whole(tree_, to, expected);
    if (must_know) must(whole);
    return whole && whole.value();
}

// It was found in its place before anybody wrote down that it is needed.
std::optional<Publisher::NoPlace> Publisher::look_for(const FileArrived& file) {
    const std::string path = path_of(file);
    const auto now = must(tree_.look(layout::published(path)));
    const FileLook& then = *file.found;
    if (now && now->inode == then.inode && now->size == then.size && now->mtime == then.mtime)
        return std::nullopt;
    return NoPlace{path + " has been removed or replaced meanwhile", std::chrono::seconds(0)};
}

std::optional<Publisher::NoPlace> Publisher::place(FileArrived& file) {
    const std::string path = path_of(file);
    const std::string to = layout::published(path);
    const auto placed = tree_.place(file.staged, to);
    if (!placed && placed.failure().fault == Fault::refused)
        return in_its_way(path, placed.failure().what);
    if (must(placed)) return std::nullopt;

    auto taken = taken_by_another(file, path);
    if (taken || !state_.holds(file.project, path)) {
        // Whether the bytes are other ones is not known where they cannot be read.
        if (lies_there(file, to, taken || state_.owned(path))) {
            must(tree_.remove(file.staged));
            return std::nullopt;
        }
        if (taken) return taken;
    }
    const Done replaced = tree_.rename(file.staged, to);
    if (!replaced && replaced.failure().fault == Fault::refused)
        return in_its_way(path, replaced.failure().what);
    must(replaced);
    return std::nullopt;
}

void Publisher::place_pages(Group& group) {
    for (const auto& [project, staged] : group.staged) {
        const Done placed = place_page(tree_, staged, project);
        if (!placed) refuse_page(project, staged, group, placed.failure().what);
    }
}

void Publisher::record(const Group& group) {
    const Time remove_from = clock_.now() + policy_.grace;
    // A page says all of its files.
    std::vector<std::string_view> with_page;
    for (const PageReady& page : group.pages)
        if (!page.same) with_page.push_back(page.page.name.text());
    std::sort(with_page.begin(), with_page.end());

    State::Change change(state_);
    for (const FileArrived& file : group.files) {
        if (!file.early ||
            std::binary_search(with_page.begin(), with_page.end(), file.project.text()))
            continue;
        if (file.metadata)
            state_.record_metadata(file.project, file.file);
        else
            state_.record_file(file.project, file.display, file.file);
    }
    for (const PageReady& page : group.pages) {
        if (std::find(group.refused.begin(), group.refused.end(), page.page.name) !=
            group.refused.end())
            record_files(page);
        // Quarantined files must be gone at once (PEP 792); others may still be asked for by who
        // has just read the old page.
        Replaced replaced;
        if (!page.same)
            replaced = state_.record_page(page.page, page.display, page.etag,
                                          page.at_once ? clock_.now() : remove_from, page.copy,
                                          page.read ? page.left : state_.in_doubt(page.page.name));
        recorded_(page, replaced);
    }
    for (const std::string& path : group.obsolete) state_.put_down(path, Time{});
    if (root_placed_) state_.set(Note::root_written, root_changes_);
    forget_removed();
    intend(flushed_, placed_);
    const bool counts = change_counts();
    if (counts) raise_changes();
    change.commit();
    root_placed_ = false;
    if (counts) show_changes();
}

// To show the count of each group would cost a tenth of a pass over pages. The first one, the last
// one and one each second tell a copy of the state that is older, but for what a kill cuts off in
// the second after it.
bool Publisher::change_counts() {
    constexpr auto pause = std::chrono::seconds(1);
    const bool last = fresh_.empty() && flushed_.empty() && placed_.empty() && !root_staged_;
    const bool first = std::exchange(rests_, last);
    const Steady now = clock_.steady();
    if (!first && !last && now - counted_ < pause) return false;
    counted_ = now;
    return true;
}

// Its page comes when what lies in the way is gone: they are not fetched again until then.
void Publisher::record_files(const PageReady& page) {
    for (const File& file : page.page.files) {
        if (file.held) state_.record_file(page.page.name, page.display, file);
        if (file.metadata_held) state_.record_metadata(page.page.name, file);
    }
}

void Publisher::count_change() {
    State::Change change(state_);
    raise_changes();
    change.commit();
    show_changes();
}

// Before the tree changes: a copy of the state from before has a smaller count. Not where the tree
// cannot show it, as on a full disk: it would seem to be a copy itself.
void Publisher::raise_changes() {
    if (!std::exchange(changes_shown_, false)) return;
    state_.set(Note::changes, state_.number(Note::changes).value_or(0) + 1);
}

void Publisher::take_over_changes() {
    const auto shown = shown_changes(tree_), known = state_.number(Note::changes).value_or(0);
    if (shown > known) state_.set(Note::changes, shown);
    changes_shown_ = shown >= known;
    if (!changes_shown_) show_changes();
}

void Publisher::show_changes() {
    const std::string line = fmt::format("{}\n", state_.number(Note::changes).value_or(0));
    const std::string staged = layout::staged("changes");
    changes_shown_ =
        write_file(tree_, staged, line).ok() && tree_.rename(staged, layout::changes).ok();
    if (!changes_shown_) (void)tree_.remove(staged);
}

bool Publisher::root_current() {
    return !root_staged_ && !root_placed_ &&
           state_.number(Note::root_changes).value_or(0) ==
               state_.number(Note::root_written).value_or(-1);
}

bool Publisher::unflushed() const {
    return !flushed_.empty() || !placed_.empty() || !shown_.empty() || root_staged_ ||
           root_placed_ || !removed_.empty();
}

bool Publisher::removal_is_due() {
    const auto due = state_.next_removal();
    return !leaving_ && due && *due <= clock_.now() && !root_unknown();
}

// What a tree of before should list is known with the master's first list.
bool Publisher::root_unknown() {
    return state_.number(Note::older_tree) && !state_.number(Note::cursor);
}

bool Publisher::root_is_due() {
    return root_wanted_ && !root_held_ && !root_current() && !root_unknown();
}

bool Publisher::busy() {
    if (!fresh_.empty() || unflushed()) return true;
    if (leaving_) return false;
    if (root_is_due()) return true;
    return removal_is_due();
}

// Everything that the flush has made durable goes one step on.
void Publisher::advance() {
    if (unflushed() || removal_is_due()) record(shown_);
    remove_what_is_due();
    place_pages(placed_);
    if (root_staged_) {
        place_root(tree_, policy_);
        root_staged_ = false;
        root_placed_ = true;
        root_time_ = clock_.steady();
    }
    place_files(flushed_);
    std::ranges::move(shown_.pages, std::back_inserter(spent_.pages));
    std::ranges::move(shown_.files, std::back_inserter(spent_.files));
    shown_ = std::move(placed_);
    placed_ = std::move(flushed_);
    flushed_ = std::exchange(fresh_, {});
}

void Publisher::drain() {
    do turn();
    while (!fresh_.empty() || unflushed());
}

void Publisher::turn() {
    if (flush_.valid()) must(flush_.get());
    advance();
    for (PageReady& page : std::exchange(again_, {})) add(std::move(page));
    if (!leaving_ && !root_staged_ && !root_placed_ && root_is_due()) {
        root_changes_ = stage_root(state_, tree_, policy_, clock_);
        root_wanted_ = false;
        root_staged_ = true;
    }
    // As late as can be: they were made while all else was staged.
    for (auto& [project, staged] : flushed_.staged)
        stage_signatures(tree_, clock_, project, staged);
    if (unflushed()) flush_ = std::async(std::launch::async, [this] { return tree_.flush(); });
}

}  // namespace pep381d
