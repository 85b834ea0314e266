// What the committer does with each message.
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/committer.h"
#include "pep381d/sync/intake.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

void Committer::work_ended(const ProjectName& project) {
    busy_.erase(project.text());
    unlisted_.erase(project.text());
    publisher_.forget_refused(project);
}

void Committer::count(const FileArrived& file) {
    ++counters_.files;
    counters_.bytes += file.metadata ? 0 : file.file.size.value_or(0);
}

void Committer::handle(FileArrived& file) {
    count(file);
    publisher_.add(std::move(file));
}

// It was asked for before the first list told that serials are ours, and has the master's: it is
// not shown, but asked for again.
void Committer::take_as_unread(PageReady& page) {
    page.page.serial = own_serial(state_, clock_.now());
    page.handled = Serial{-1};  // it stays in the queue
    page.same = true;
    page.stale = false;
    page.etag.clear();
    publisher_.add(std::move(page));
}

void Committer::handle(PageReady& page) {
    for (const FileArrived& file : page.kept) count(file);
    if (page.numbered && numbers_ours(state_)) {
        take_as_unread(page);
        return;
    }
    const Look look = page.same && !page.failure ? Look::same : Look::news;
    if (sweep_passes(page.page.name, look))
        work_ended(page.page.name);
    else if (page.same)
        recorded(page, {});
    else
        publisher_.add(std::move(page));
}

// Its page may have been read before it went.
void Committer::look_again_by_list(const PageReady& page) {
    const auto list = unlisted_.find(page.page.name.text());
    if (list == unlisted_.end() || state_.queued(page.page.name)) return;
    state_.enqueue(page.page.name, page.display, Serial{}, Loss::nothing, list->second, true);
}

void Committer::recorded(const PageReady& page, const Replaced& replaced) {
    rulings_.page_recorded(page, replaced);
    look_again_by_key(page.page.name, page.key_generation);
    look_again_by_list(page);
    if (page.failure) failed_since_ = true;
    work_ended(page.page.name);
    handled_changed_ = true;
    if (!page.same) ++counters_.pages;
}

void Committer::handle(PageFailed& failed) {
    work_ended(failed.project);
    const bool answered =
        failed.failure.fault == Fault::corrupt || failed.failure.fault == Fault::refused;
    if (failed.doubts_key) master_key_.doubt();
    if (sweep_passes(failed.project, answered ? Look::news : Look::failed)) return;
    failed_since_ = true;
    rulings_.page_failed(failed);
    look_again_by_key(failed.project, failed.key_generation);
}

void Committer::handle(PageGone& gone) {
    work_ended(gone.project);
    // What we keep is not looked up in a list in every round.
    if (sweep_passes(gone.project, policy_.keep_deleted ? Look::same : Look::news)) return;
    failed_since_ = true;
    rulings_.page_gone(gone);
    handled_changed_ = true;
}

void Committer::handle(PageStale& stale) {
    work_ended(stale.project);
    if (sweep_passes(stale.project, Look::same)) return;  // a cache's old page
    failed_since_ = true;
    rulings_.page_stale(stale);
    handled_changed_ = true;
}

void Committer::handle(PageLoses& loses) {
    work_ended(loses.project);
    if (sweep_passes(loses.project, Look::news)) return;
    failed_since_ = true;
    rulings_.page_loses(loses);
}

void Committer::handle(RetryAll&) {
    state_.retry_all_now();
}

void Committer::handle(Retry& retry) {
    for (const ProjectName& name : retry.projects) state_.retry_now(name);
}

void Committer::handle(RoomChanged& room) {
    const bool had_room = std::exchange(room_, room.shortage.empty());
    if (had_room && !room_) take_back();
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
    take_back();
}

}  // namespace pep381d
