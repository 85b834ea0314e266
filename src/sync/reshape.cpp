#include "pep381d/sync/reshape.h"

#include <fmt/format.h>

#include "pep381d/base/digest.h"
#include "pep381d/sync/intake.h"
#include "pep381d/sync/list_intake.h"
#include "pep381d/sync/server_keys.h"

namespace pep381d {

namespace {

constexpr std::size_t remade_a_turn = 200;
constexpr const char* copied_pages = " copy";

}  // namespace

std::string Reshape::formats() const {
    std::string formats = std::string(policy_.html ? "html " : "") + (policy_.json ? "json" : "");
    // Another key is another format: every page is signed again.
    if (policy_.signer) formats += " signed=" + to_hex(sha256(server_keys_text(policy_)));
    if (policy_.copy) formats += copied_pages;
    return formats;
}

bool Reshape::changed(Note note, const std::string& now) {
    const auto before = state_.text(note);
    return before && *before != now;
}

// What is the same is not written: on a full disk there is room for nothing, and removals, which
// make some, come after this.
void Reshape::note(Note name, const std::string& value) {
    if (state_.text(name) != value) state_.set(name, value);
}

std::vector<ProjectName> Reshape::begin() {
    State::Change change(state_);
    std::vector<ProjectName> blocked = queue_what_changed();
    begin_formats();
    change.commit();
    return blocked;
}

// What only the master can tell, or the filter has decided. Those that `filter.block` names.
std::vector<ProjectName> Reshape::queue_what_changed() {
    const std::string files =
        fmt::format("files={} core-metadata={}", policy_.page.files, policy_.page.core_metadata);
    const std::string filter = policy_.filter.fingerprint();
    // Which pages and projects were kept against the master's word.
    const bool kept_before = state_.text(Note::made_deletes) == "keep" && !policy_.keep_deleted;
    if (kept_before) state_.set(Note::reconciled, Time{});
    // Copies come from the master alone, and what they leave out of its JSON as well; until then
    // pages are of our making, from what we know.
    const auto made = state_.text(Note::made_formats);
    const bool other_mode = made && policy_.copy != (made->find(copied_pages) != std::string::npos);
    if (kept_before || changed(Note::made_files, files) || other_mode)
        take_all(state_, clock_.now());
    if (changed(Note::master, policy_.master_shown)) forget_master();
    std::vector<ProjectName> blocked;
    if (changed(Note::made_filter, filter)) {
        blocked = take_unwanted(state_, tree_, policy_.filter, clock_.now());
        // What is newly wanted stands in the list alone: it is due at once.
        state_.set(Note::reconciled, Time{});
    }
    // Pages of a state that was lost do not say what was meant for them, and nobody queues them.
    const auto made_filter = state_.text(Note::made_filter);
    if (made_filter ? *made_filter != filter : state_.number(Note::older_tree).has_value())
        for (const std::string& name : policy_.filter.blocked())
            if (const auto project = ProjectName::parse(name); project && is_unknown(*project))
                state_.drop_project(*project);
    note(Note::made_files, files);
    note(Note::made_deletes, policy_.keep_deleted ? "keep" : "mirror");
    note(Note::made_filter, filter);
    note(Note::master, policy_.master_shown);
    return blocked;
}

bool Reshape::is_unknown(const ProjectName& project) {
    return !state_.published(project) && !state_.queued(project);
}

// What only the master before could tell: its key, and how old it is. What it signed is not proven
// by another's key.
void Reshape::forget_master() {
    for (const Note note : {Note::master_key, Note::master_key_due, Note::master_key_gone,
                            Note::master_key_looks, Note::master_key_refused, Note::undated,
                            Note::dated, Note::dated_gone, Note::dated_looks})
        state_.unset(note);
    if (policy_.copy) take_all(state_, clock_.now());
}

void Reshape::begin_formats() {
    running_ = changed(Note::made_formats, formats());
    // Half of the way to other formats than these is no progress.
    const std::string on_the_way = "on the way to " + formats();
    if (running_ && *state_.text(Note::made_formats) != on_the_way)
        state_.set(Note::remade, std::string_view{});
    // Before the first of them is made anew: whoever turns back must not take ours for a copy.
    if (running_ && !policy_.copy) state_.forget_copies();
    note(Note::made_formats, running_ ? on_the_way : formats());
    if (policy_.signer || state_.text(Note::server_keys))
        note(Note::server_keys, server_keys_text(policy_));
}

void Reshape::go_on() {
    const auto names = state_.projects_after(state_.text(Note::remade).value_or(""), remade_a_turn);
    for (const ProjectName& name : names) publisher_.remake(name);
    if (!names.empty()) {
        // A crash in between is met by making them once more.
        publisher_.drain();
        State::Change change(state_);
        state_.set(Note::remade, names.back().text());
        change.commit();
        return;
    }
    // Who reads in the state that all are signed finds the keys there.
    publisher_.hold_root(false);
    State::Change change(state_);
    state_.set(Note::made_formats, formats());
    state_.set(Note::root_changes, state_.number(Note::root_changes).value_or(0) + 1);
    change.commit();
    publisher_.want_root();
    running_ = false;
}

}  // namespace pep381d
