// What the publisher removes from the tree, and when.
#include <algorithm>

#include "pep381d/sync/publisher.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

namespace {

constexpr std::size_t removals_a_turn = 1000;
constexpr std::chrono::minutes removal_pause{1};

}  // namespace

// Root index, then pages, then files: each step only when the one before is durable.
void Publisher::remove_what_is_due() {
    const auto remove = [&](const std::string& path) {
        const Done gone = tree_.remove(layout::published(path));
        // A directory with something in it is not what was published here; verifying names it.
        if (gone || gone.failure().fault != Fault::refused) must(gone);
        removed_.push_back(path);
    };
    if (leaving_ || !state_.next_removal() || root_unknown()) return;
    const auto written = state_.number(Note::root_written).value_or(0);
    for (const std::string& path : state_.pages_to_remove(written)) remove(path);
    if (state_.pages_wait_for_root(written)) root_wanted_ = true;
    const auto due = state_.files_to_remove(clock_.now(), removals_a_turn);
    if (due.empty()) return;
    std::vector<std::string> awaited, named;
    const auto intended = state_.intended();
    for (const std::string& path : due) {
        // On its way in again: its record takes it off this list.
        if (arrives(path)) continue;
        if (intended.contains(path))
            awaited.push_back(path);
        else if (state_.owned(path))
            named.push_back(path);
        else
            remove(path);
    }
    if (awaited.empty() && named.empty()) return;
    State::Change change(state_);
    // They are in their places, and the page that names them is still to come.
    for (const std::string& path : awaited) state_.put_off(path, clock_.now() + removal_pause);
    // Another project still names them. At once: when that drops them, they are put down anew.
    for (const std::string& path : named) state_.removed(path);
    change.commit();
}

bool Publisher::arrives(const std::string& path) const {
    const auto in = [&](const Group& group) {
        return std::any_of(group.files.begin(), group.files.end(),
                           [&](const FileArrived& file) { return path == path_of(file); });
    };
    return in(fresh_) || in(flushed_) || in(placed_) || in(shown_);
}

void Publisher::forget_removed() {
    for (const std::string& path : removed_) state_.removed(path);
    removed_.clear();
}

}  // namespace pep381d
