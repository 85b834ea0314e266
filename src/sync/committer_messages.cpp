// What the committer does with each message.
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/committer.h"
#include "pep381d/sync/intake.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

void Committer::handle(FileArrived& file) {
    ++counters_.files;
    counters_.bytes += file.metadata ? 0 : file.file.size.value_or(0);
    if (scrub_) scrub_->placed(file.metadata ? layout::metadata(file.file.path) : file.file.path);
    publisher_.add(std::move(file));
}

void Committer::handle(PageReady& page) {
    const Look look = page.same && !page.failure ? Look::same : Look::news;
    if (sweep_passes(page.page.name, look))
        busy_.erase(page.page.name.text());
    else if (page.same)
        recorded(page, {});
    else
        publisher_.add(std::move(page));
}

void Committer::recorded(const PageReady& page, const Replaced& replaced) {
    rulings_.page_recorded(page, replaced);
    if (page.failure) failed_since_ = true;
    if (scrub_ && !page.same)
        for (const File& file : page.page.files) {
            if (file.held) scrub_->placed(file.path);
            if (file.metadata_held) scrub_->placed(layout::metadata(file.path));
        }
    busy_.erase(page.page.name.text());
    handled_changed_ = true;
    if (!page.same) ++counters_.pages;
}

void Committer::handle(PageFailed& failed) {
    busy_.erase(failed.project.text());
    const bool answered =
        failed.failure.fault == Fault::corrupt || failed.failure.fault == Fault::refused;
    if (sweep_passes(failed.project, answered ? Look::news : Look::failed)) return;
    failed_since_ = true;
    rulings_.page_failed(failed);
}

void Committer::handle(PageGone& gone) {
    busy_.erase(gone.project.text());
    // What we keep is not looked up in a list in every round.
    if (sweep_passes(gone.project, policy_.keep_deleted ? Look::same : Look::news)) return;
    failed_since_ = true;
    rulings_.page_gone(gone);
    handled_changed_ = true;
}

void Committer::handle(PageStale& stale) {
    busy_.erase(stale.project.text());
    if (sweep_passes(stale.project, Look::same)) return;  // a cache's old page
    failed_since_ = true;
    rulings_.page_stale(stale);
    handled_changed_ = true;
}

void Committer::handle(PageLoses& loses) {
    busy_.erase(loses.project.text());
    if (sweep_passes(loses.project, Look::news)) return;
    failed_since_ = true;
    rulings_.page_loses(loses);
}

void Committer::handle(PollDone& poll) {
    state_.set_back_clock(clock_.now(), clock_.now() + longest_wait, clock_.now() + policy_.grace);
    take_events(state_, policy_.filter, poll.events, poll.began, poll.cursor);
    state_.set(Note::cursor, poll.cursor.value);
    if (!poll.last) return;
    state_.record_poll(poll.began);
    state_.set(Note::last_poll, poll.began);
    state_.set(Note::last_error, std::string_view{});
    handled_changed_ = true;
}

void Committer::handle(PollFailed& failed) {
    state_.set(Note::last_error, failed.failure.what);
}

void Committer::handle(ListArrived& list) {
    const auto result = take_list(state_, tree_, policy_.filter, list.staged, list.began,
                                  policy_.keep_deleted, log_);
    if (result) note_list(list, result.value());
    if (!result && result.failure().fault == Fault::local) throw Fatal(5, result.failure().what);

    must(tree_.remove(list.staged));
    rulings_.list_arrived();
    ++lists_;
    list_failure_.reset();
    if (result) return;
    const Failure& failure = result.failure();
    list_failure_ =
        Failure{failure.fault, fmt::format("POST {}/pypi: {}", policy_.master_shown, failure.what),
                failure.wait};
    log_.warning(fmt::format("list_refused cause={}", quoted(list_failure_->what)));
    state_.set(Note::last_error, list_failure_->what);
}

void Committer::note_list(const ListArrived& list, const ListResult& found) {
    log_.info(fmt::format("list_compared names={} queued={} absent={} serial={}", found.names,
                          found.queued, found.absent, found.highest.value));
    state_.set(Note::reconciled, list.began);
    state_.set(Note::list_serial, found.highest.value);
    state_.set(Note::reconcile_queued, found.queued);
    state_.set(Note::reconcile_absent, found.absent);
    // The first list: the journal is read from its newest serial on. A fresher start would leave a
    // hole, since lists are cached.
    if (!state_.number(Note::cursor)) state_.set(Note::cursor, found.highest.value);
    backlog_after_.clear();
    backlog_left_ = true;
    handled_changed_ = true;
}

void Committer::handle(RetryAll&) {
    state_.retry_all_now();
}

void Committer::handle(RoomChanged& room) {
    const std::string before = state_.text(Note::shortage).value_or("");
    if (before == room.shortage) return;
    if (room.shortage.empty())
        log_.info("room_again");
    else if (before.empty())
        log_.warning(fmt::format("paused cause={}", quoted(room.shortage)));
    state_.set(Note::shortage, room.shortage);
    status_changed_ = true;
}

// The loop has given up what it was handed and has not sent back.
void Committer::handle(Finish&) {
    finishing_ = true;
    busy_.clear();
    const std::lock_guard lock(mutex_);
    outbox_.clear();
    outbox_files_ = 0;
}

}  // namespace pep381d
