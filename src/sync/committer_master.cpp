// What the committer knows of the master, and what it does with a poll and a list.
#include <algorithm>

#include <fmt/format.h>

#include "pep381d/sync/absence.h"
#include "pep381d/sync/committer.h"
#include "pep381d/sync/intake.h"
#include "pep381d/sync/list_intake.h"

#include "sync/must.h"

namespace pep381d {

// A state of before protocols were told apart is Warehouse's. Under another protocol the serials
// mean something else: all begins with a list again.
void Committer::adopt_protocol() {
    if (!state_.text(Note::protocol) && state_.number(Note::cursor))
        state_.set(Note::protocol, name_of(Protocol::warehouse));
    const auto before = state_.text(Note::protocol);
    if (!before || policy_.protocol == Protocol::automatic || *before == name_of(policy_.protocol))
        return;
    log_.info(fmt::format("protocol_changed from={} to={}", *before, name_of(policy_.protocol)));
    state_.forget_journal();
}

Committer::MasterKnown Committer::master_known() {
    MasterKnown master;
    master.protocol =
        protocol_named(state_.text(Note::protocol).value_or("auto")).value_or(Protocol::automatic);
    if (master.protocol == Protocol::pep381) master.journal_since = journal_since(state_);
    master.root_etag = state_.text(Note::root_etag).value_or("");
    master.dated = !state_.number(Note::undated);
    master.numbered = !numbers_ours(state_);
    return master;
}

void Committer::handle(PollDone& poll) {
    state_.set_back_clock(clock_.now(), clock_.now() + longest_wait, clock_.now() + policy_.grace);
    if (poll.said.protocol == Protocol::pep381) {
        poll.cursor = number_rows(state_, poll.events, clock_.now());
        if (!poll.events.empty())
            log_.info(fmt::format("changelog_taken rows={} serial={}", poll.events.size(),
                                  poll.cursor.value));
    } else if (numbers_ours(state_)) {
        // What was published since it began has used higher ones.
        poll.cursor = std::max(poll.cursor, Serial{state_.number(Note::cursor).value_or(0)});
    }
    take_events(state_, policy_.filter, poll.events, poll.began, poll.cursor);
    if (std::any_of(poll.events.begin(), poll.events.end(), tells_of_key)) look_at_key();
    state_.set(Note::cursor, poll.cursor.value);
    if (poll.last) note_polled(poll.began, poll.said);
}

// All that the master told by then is in the queue.
void Committer::note_polled(Time began, const MasterSaid& said) {
    note_master(said);
    note_date(said);
    state_.record_poll(began, state_.time(Note::dated));
    state_.set(Note::last_poll, began);
    state_.set(Note::last_error, std::string_view{});
    // Not from what it has told us by now: the next poll may have been asked before that.
    if (said.protocol == Protocol::pep381) state_.forget_rows(said.journal_since);
    handled_changed_ = true;
}

// What was found is known from now on; errors do not change it.
void Committer::note_master(const MasterSaid& said) {
    const std::string name(name_of(said.protocol));
    if (state_.text(Note::protocol) != name) {
        log_.info(fmt::format("master_speaks protocol={}", name));
        state_.set(Note::protocol, name);
    }
}

// A master that was dated is as old as it said last, whatever comes in place of its date, until it
// is believed to have none. Where there never was one, what makes no sense is somebody's own page.
void Committer::note_date(const MasterSaid& said) {
    constexpr AbsenceNotes absence{Note::dated_gone, Note::dated_looks};
    if (said.dated == Dated::not_asked) return;
    if (said.dated == Dated::yes) {
        state_.set(Note::dated, *said.last_modified);
        state_.unset(Note::undated);
        forget_absence(state_, absence);
        return;
    }
    const bool was_dated = state_.time(Note::dated).has_value();
    if (was_dated &&
        (said.dated == Dated::unclear || !absence_believed(state_, absence, clock_.now())))
        return;
    state_.set(Note::undated, 1);
    state_.unset(Note::dated);
    forget_absence(state_, absence);
}

void Committer::handle(PollFailed& failed) {
    state_.set(Note::last_error, failed.failure.what);
}

void Committer::handle(ListArrived& list) {
    const auto result = take_list(state_, tree_, policy_, list, busy_, log_);
    if (result) {
        note_list(list, result.value());
        if (!policy_.keep_deleted)
            for (const std::string& name : result.value().unlisted)
                unlisted_.try_emplace(name, list.began);
    }
    if (!result && is_local(result.failure().fault)) give_up(result.failure());

    must(tree_.remove(list.staged));
    rulings_.list_arrived();
    ++lists_;
    list_failure_.reset();
    if (result) return;
    const Failure& failure = result.failure();
    const std::string asked = list.said.protocol == Protocol::simple
                                  ? fmt::format("GET {}/simple/", policy_.master_shown)
                                  : fmt::format("POST {}/pypi", policy_.master_shown);
    list_failure_ =
        Failure{failure.fault, fmt::format("{}: {}", asked, failure.what), failure.wait};
    log_.warning(fmt::format("list_refused cause={}", quoted(list_failure_->what)));
    state_.set(Note::last_error, list_failure_->what);
}

void Committer::note_list(const ListArrived& list, const ListResult& found) {
    log_.info(fmt::format("list_compared names={} queued={} absent={} serial={}", found.names,
                          found.queued, found.absent, found.highest.value));
    const bool first = !state_.number(Note::cursor);
    const bool root = list.said.protocol == Protocol::simple;
    if (!root || list.full || first) {
        state_.set(Note::reconciled, list.began);
        look_at_key();
    }
    state_.set(Note::list_serial, found.highest.value);
    state_.set(Note::reconcile_queued, found.queued);
    state_.set(Note::reconcile_absent, found.absent);
    // The first list: the journal is read from its newest serial on. A fresher start would leave a
    // hole, since lists are cached; and with a serial that the journal does not have, all that it
    // says would seem to run backwards. Where no journal has serials, lists move it on.
    const Serial reached = std::min(found.highest, list.newest.value_or(found.highest));
    if (first || list.said.protocol != Protocol::warehouse)
        state_.set(Note::cursor, std::max(reached.value, state_.number(Note::cursor).value_or(0)));
    note_master(list.said);
    if (list.said.protocol != Protocol::warehouse)
        state_.set(Note::numbering, found.numbered ? serials_theirs : serials_ours);
    // The journal's clock may be behind ours; what the master says of its age is by that clock.
    if (first && list.said.protocol == Protocol::pep381) {
        const Time about = std::min(list.began, list.said.last_modified.value_or(list.began));
        state_.set(Note::journal_time, unix_seconds(about - std::chrono::hours(23)));
    }
    if (root) {
        state_.set(Note::root_etag, list.etag);
        state_.set(Note::root_serial, found.told.value);
        note_polled(list.began, list.said);
    }
    backlog_after_.clear();
    backlog_left_ = true;
    handled_changed_ = true;
}

}  // namespace pep381d
