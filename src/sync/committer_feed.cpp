// What the committer hands out: the queue's work, in advance and within bounds.
#include <utility>

#include "pep381d/sync/committer.h"
#include "pep381d/sync/intake.h"
#include "pep381d/sync/knowledge.h"

namespace pep381d {

namespace {

// Work handed out in advance, so that the network has something to do while a flush goes on.
constexpr std::size_t outbox_most = 256;
constexpr std::size_t outbox_files_most = 5'000;

}  // namespace

void Committer::feed() {
    if (reshape_.running() || finishing_ || awaits_key()) return;
    std::size_t room = 0;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || !hungry()) return;
        room = outbox_most - outbox_.size();
    }
    // All that is read here sees one state, and locks it once.
    State::Change change(state_);
    feed_due(room);
    change.commit();
}

void Committer::feed_due(std::size_t room) {
    const Time now = clock_.now();
    if (only_) {
        std::vector<Queued> named;
        for (const ProjectName& name : *only_)
            if (auto queued = state_.queued(name); queued && queued->not_before <= now)
                named.push_back(std::move(*queued));
        feed_some(named);
        return;
    }
    if (!room_) {
        feed_some(state_.due_losses(now, room + busy_.size()));
        return;
    }
    // What is busy still stands in the queue, in front.
    feed_some(state_.due(now, room + busy_.size()));
    while (backlog_left_) {
        const auto queued = state_.backlog(backlog_after_, room);
        backlog_left_ = !queued.empty();
        if (queued.empty()) break;
        backlog_after_ = feed_some(queued);
        const std::lock_guard lock(mutex_);
        if (!hungry()) break;
    }
}

// What was handed out and the loop has not taken.
void Committer::take_back() {
    backlog_after_.clear();
    backlog_left_ = with_backlog_;
    const std::lock_guard lock(mutex_);
    for (const WorkItem& item : outbox_) busy_.erase(item.queued.name.text());
    outbox_.clear();
    outbox_files_ = 0;
}

bool Committer::hungry() const {
    return outbox_.size() < outbox_most / 2 && outbox_files_ < outbox_files_most;
}

// As many as there is room for. The last name that was looked at.
std::string Committer::feed_some(const std::vector<Queued>& all) {
    std::string last;
    bool fed = false;
    for (const Queued& queued : all) {
        last = queued.name.text();
        if (busy_.contains(last)) continue;
        if (!policy_.filter.wants(queued.name)) {
            rulings_.unwanted(queued);
            continue;
        }
        hand_out(queued);
        fed = true;
        const std::lock_guard lock(mutex_);
        if (outbox_files_ >= outbox_files_most) break;
    }
    if (fed) wake_();
    return last;
}

void Committer::hand_out(const Queued& queued) {
    WorkItem item{queued, {}, state_.page(queued.name), false};
    item.protocol = policy_.protocol == Protocol::automatic ? known_.protocol : policy_.protocol;
    item.numbered = known_.numbered;
    item.older_tree = older_tree_;
    if (!item.numbered) item.fresh = own_serial(state_, clock_.now());
    if (queued.stale_since) item.list_asked = state_.time(Note::reconciled).value_or(Time{});
    if (const auto ours = state_.published(queued.name)) {
        item.etag = ours->etag;
        item.shown = ours->page;
    }
    if (older_tree_ && !item.shown) item.of_before = files_of_before(tree_, queued.name);
    item.in_doubt = state_.in_doubt(queued.name);
    // One that was killed before it recorded a first page has left it, with a serial of its own.
    item.ahead = item.shown ? state_.ahead_of_page(queued.name)
                            : !item.numbered && has_page(tree_, queued.name);
    if (item.ahead || !item.in_doubt.empty()) item.etag.clear();
    if (policy_.copy) tell_copy(item);
    // A serial that the journal has not reached came from a page that lied, or that was newer than
    // the last poll: the page is read again, whatever it shows, and where serials are ours gets one
    // that nobody has seen.
    if (item.known && item.known->serial.value > state_.number(Note::cursor).value_or(0)) {
        item.ahead = item.ahead || !item.numbered;
        item.known->serial = Serial{};
        item.etag.clear();
    }
    busy_.insert(queued.name.text());
    const std::lock_guard lock(mutex_);
    outbox_files_ += item.known ? item.known->files.size() : 0;
    outbox_.push_back(std::move(item));
}

}  // namespace pep381d
