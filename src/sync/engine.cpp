#include "pep381d/sync/engine.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/net/retry.h"

namespace pep381d {

namespace {

// The loop looks at everything again at least so often.
constexpr std::chrono::milliseconds longest_step{1000};

// PyPI makes its list anew once an hour: asking more often than this for a doubtful project only
// costs both sides.
constexpr std::chrono::minutes list_pause{10};

// Where a session has lived for so long, there is room.
constexpr std::chrono::minutes room_settles{1};

std::chrono::milliseconds until(Steady then, Steady now) {
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::ceil<std::chrono::milliseconds>(then - now));
}

}  // namespace

std::chrono::milliseconds poll_pause(const Failure& failure, int failed, const Policy& policy) {
    // A refusal does not pass: our question has to change, or the master.
    const auto longest = policy.poll_interval * 5;
    const auto pause = failure.fault == Fault::refused
                           ? longest
                           : std::min(retry_pause(failed, {}, policy.random()), longest);
    // The windows of PyPI's limits are an hour; who asks for more is not quite himself.
    const auto asked = std::min(failure.wait, std::chrono::seconds(3600));
    return std::max<std::chrono::milliseconds>({pause, asked, std::chrono::seconds(1)});
}

Engine::Engine(Transport& transport, Staging& staging, Committer& committer, const Policy& policy,
               const Clock& clock, Log& log, bool recovering, Hooks hooks)
    : transport_(transport),
      staging_(staging),
      committer_(committer),
      policy_(policy),
      clock_(clock),
      hooks_(std::move(hooks)),
      jobs_(transport, staging, policy, clock, log, recovering,
            [this](Message message) { send(std::move(message)); }),
      poll_(transport, staging, policy, clock, log,
            [this](Message message) { send(std::move(message)); }),
      key_look_(transport, policy, clock, [this](Message message) { send(std::move(message)); }),
      began_(clock.steady()) {}

void Engine::send(Message message) {
    // Half of what the committer does for a small page or file is to write it.
    auto* page = std::get_if<PageReady>(&message);
    if (page != nullptr && page->text && committer_.behind()) {
        page->staged = stage_page(staging_.tree(), policy_, clock_, page->page.name, *page->text,
                                  fmt::format("ready-{}", next_page_++), page->replaces);
        page->text.reset();
    }
    auto* file = std::get_if<FileArrived>(&message);
    if (file != nullptr && file->unwritten && committer_.behind())
        write_unwritten(staging_.tree(), *file);
    outgoing_.push_back(std::move(message));
    flush_outgoing();
}

void Engine::flush_outgoing() {
    while (!outgoing_.empty() && committer_.room()) {
        committer_.send(std::move(outgoing_.front()));
        outgoing_.pop_front();
    }
}

// That there is room is believed only after a while: a quota shows when it is too late.
void Engine::look_at_room() {
    if (!hooks_.shortage) return;
    const std::string now = hooks_.shortage().value_or("");
    const bool changed = now.empty() != shortage_.empty();
    const bool settled = !room_told_ && clock_.steady() - began_ >= room_settles;
    if (!changed && !settled) return;
    shortage_ = now;
    room_told_ = true;
    send(RoomChanged{shortage_});
    jobs_.note_room(now.empty());
}

// One turn of the loop: hand over, take work, start transfers, wait for something to happen.
void Engine::step(std::chrono::milliseconds most) {
    committer_.check();
    committer_.reclaim();
    look_at_room();
    flush_outgoing();
    // While the committer has no room nothing new is started: a slow disk slows the network down.
    std::optional<Steady> again;
    if (outgoing_.empty()) {
        while (may_work_ && jobs_.hungry()) {
            auto item = committer_.take();
            if (!item) break;
            jobs_.add(std::move(*item));
        }
        again = jobs_.pump();
        if (key_wanted(committer_.standing()) && !key_look_.running()) key_look_.start();
    }
    committer_.loop_idle(jobs_.idle() && outgoing_.empty());
    if (!outgoing_.empty() && committer_.room()) most = std::chrono::milliseconds(0);
    // Not while we have something to do ourselves, such as to hash what an earlier run left.
    paused_ = (again && *again > clock_.steady() && jobs_.waiting()) || key_missing();
    if (again) most = std::min(most, until(*again, clock_.steady()));
    transport_.wait(std::min(most, longest_step), hooks_.descriptor);

    const Command command = hooks_.commands ? hooks_.commands() : Command::none;
    if (command != Command::none && command_ != Command::stop) command_ = command;
    if (hooks_.report) {
        const auto& counters = committer_.counters();
        hooks_.report(
            {counters.pending, counters.pages, counters.files, jobs_.bytes_arrived(), false});
    }
}

bool Engine::drained() {
    // Both from one look: in between the committer may come to rest with a key to be asked for.
    const auto standing = committer_.standing();
    return outgoing_.empty() && jobs_.idle() && !poll_.running() && !key_look_.running() &&
           !key_wanted(standing) && standing.at_rest;
}

// The master's key is to be asked for, and may be.
bool Engine::key_wanted(const Committer::Standing& standing) const {
    if (!policy_.copy || !may_work_) return false;
    if (standing.keys < key_look_.answers()) return false;  // it is on its way
    return standing.key_due && (standing.key_at_once || clock_.steady() >= key_look_.next());
}

// All pages wait for the master's key, and the master has not answered when it was asked for it.
bool Engine::key_missing() const {
    if (!may_work_ || !key_look_.failure()) return false;
    const auto standing = committer_.standing();
    // At once: the committer has still to say whether it can do without.
    return standing.key_awaited && !standing.key_at_once;
}

// Waits, but no longer than the patience that is left; false where that does not suffice.
bool Engine::wait(std::chrono::milliseconds pause) {
    if (pause > patience_) return false;
    const Steady end = clock_.steady() + pause;
    while (clock_.steady() < end && command_ != Command::stop) step(until(end, clock_.steady()));
    patience_ -= pause;
    return true;
}

// A list that comes from the future tells nothing about when the next is due.
bool Engine::list_due(const Committer::Standing& standing) const {
    if (!standing.reconciled) return true;
    const auto age = clock_.now() - *standing.reconciled;
    return age >= policy_.reconcile_interval || age < std::chrono::milliseconds(0);
}

PollStart Engine::poll_start(const Committer::Standing& standing, bool with_list) const {
    PollStart start;
    start.protocol =
        policy_.protocol == Protocol::automatic ? standing.master.protocol : policy_.protocol;
    start.cursor = standing.cursor;
    start.journal_since = standing.master.journal_since;
    start.root_etag = standing.master.root_etag;
    start.with_list = with_list;
    start.full = list_due(standing);
    start.dated = standing.master.dated || start.full;
    return start;
}

// One poll, and what became of the list where it brought one.
std::optional<Failure> Engine::ask(bool with_list) {
    const auto before = committer_.standing();
    poll_.start(poll_start(before, with_list));
    while (poll_.running() && command_ != Command::stop) step(longest_step);
    tell_jobs();
    if (poll_.failure() || !poll_.listed()) return poll_.failure();
    while (committer_.standing().lists == before.lists && command_ != Command::stop)
        step(longest_step);
    return committer_.standing().list_failure;
}

// A master that limits us is not asked for pages either; one that answers is well, whatever became
// of single pages.
void Engine::tell_jobs() {
    if (!poll_.failure())
        jobs_.master_answered();
    else if (poll_.failure()->limited)
        jobs_.master_failed(*poll_.failure());
}

std::optional<Failure> Engine::ask_with_patience() {
    for (int attempt = 1;; ++attempt) {
        const auto standing = committer_.standing();
        const Steady asked = clock_.steady();
        auto failure = ask(list_due(standing));
        // A list may be an hour old: what came since stands in the journal.
        if (!failure && !standing.cursor &&
            committer_.standing().master.protocol != Protocol::simple)
            failure = ask(false);
        // A poll that hangs is waited for too, before it is known that nothing comes of it.
        if (failure)
            patience_ = std::max(std::chrono::milliseconds(0),
                                 patience_ - std::chrono::duration_cast<std::chrono::milliseconds>(
                                                 clock_.steady() - asked));
        const bool again =
            failure && failure->fault == Fault::retry_later && command_ != Command::stop;
        if (!again || !wait(retry_pause(attempt, failure->wait, policy_.random()))) return failure;
    }
}

// Until nothing is left that can be done now; false where the patience with the master is used up.
bool Engine::work_off() {
    Steady counted = clock_.steady();  // what was waited until then
    while (!drained() && command_ != Command::stop && shortage_.empty()) {
        const Steady before = clock_.steady();
        if (key_missing() && until(key_look_.next(), before) > patience_) return false;
        step(longest_step);
        // That transfers hang is known only after a while, which is a part of the waiting.
        if (const auto since = paused_ ? std::optional(before) : jobs_.silent_since()) {
            const Steady now = clock_.steady();
            patience_ -= std::chrono::duration_cast<std::chrono::milliseconds>(
                now - std::max(*since, counted));
            counted = now;
        }
        if (patience_ < std::chrono::milliseconds(0)) {
            jobs_.fail_all("nothing came for as long as master.patience allows");
            return false;
        }
    }
    return command_ != Command::stop && shortage_.empty();
}

std::optional<Failure> Engine::pass(bool poll) {
    look_at_room();
    if (poll) send(RetryAll{});
    patience_ = policy_.patience;
    std::optional<Failure> failure;
    if (poll && shortage_.empty()) failure = ask_with_patience();
    // A list that is no good stops nothing but what needs the list.
    may_work_ = !failure || poll_.events_known();
    while (may_work_ && work_off()) {
        const auto standing = committer_.standing();
        if (poll && standing.wants_list && !list_asked_) {
            list_asked_ = true;
            failure = ask(true);
            continue;
        }
        if (!standing.next_due) break;
        if (!wait(std::max(std::chrono::milliseconds(1), *standing.next_due - clock_.now()))) break;
    }
    if (!failure && key_missing()) failure = key_look_.failure();
    finish();
    if (!shortage_.empty() && command_ != Command::stop)
        throw DiskFull(shortage_ + "; free some space");
    return failure;
}

// What is under way is given up, what has arrived is published.
void Engine::finish() {
    jobs_.abandon();
    poll_.abandon();
    key_look_.abandon();
    may_work_ = false;
    if (command_ == Command::stop) {
        // Whoever stops it wants it soon: the rest is the next pass's.
        while (!outgoing_.empty()) step(longest_step);
        return;
    }
    if (hooks_.shortage) send(RoomChanged{shortage_});
    send(Finish{});
    while (!outgoing_.empty() || !committer_.standing().at_rest) step(longest_step);
}

void Engine::start_poll_if_due() {
    if (poll_.running()) return;
    const Steady now = clock_.steady();
    if (next_poll_) next_poll_ = std::max(*next_poll_, jobs_.limited_until());
    const auto standing = committer_.standing();
    // The first list is on its way to the state; the journal since then is read at once.
    if (!standing.cursor && lists_asked_ > standing.lists) return;
    const bool first = standing.cursor && !journal_read_;
    if (next_poll_ && now < *next_poll_ && command_ != Command::poll && !first) return;
    journal_read_ = standing.cursor.has_value();
    if (command_ == Command::poll) {
        command_ = Command::none;
        send(RetryAll{});
    }
    const bool due = standing.wants_list || list_due(standing);
    const bool rested = !last_list_ || now - *last_list_ >= list_pause;
    // A list takes room, and nothing could be done about what it says.
    if (!shortage_.empty() && !standing.cursor) return;
    const bool with_list = !standing.cursor || (due && rested && shortage_.empty());
    if (with_list) last_list_ = now;
    poll_.start(poll_start(standing, with_list));
    next_poll_ = now + policy_.poll_interval;
}

// What a crash or a broken transfer left in staging/, and nobody wants by the time when all is
// done.
void Engine::sweep_when_done() {
    if (staging_.swept() || !may_work_ || !drained() || committer_.counters().pending > 0) return;
    if (Done swept = staging_.sweep(); !swept) give_up(swept.failure());
}

Command Engine::run() {
    bool polled = false;
    look_at_room();
    while (command_ != Command::stop && command_ != Command::reload) {
        start_poll_if_due();
        polled = polled || poll_.running();
        // A first list that is being compared is followed by the journal at once.
        const bool waiting = poll_.running() || !next_poll_;
        step(waiting ? longest_step : until(*next_poll_, clock_.steady()));
        sweep_when_done();
        if (!polled || poll_.running()) continue;
        polled = false;
        tell_jobs();
        if (poll_.failure()) {
            // The network may be down, or the master: the queue waits with the poll.
            next_poll_ = clock_.steady() + poll_pause(*poll_.failure(), ++failed_polls_, policy_);
        } else {
            if (poll_.listed()) ++lists_asked_;
            failed_polls_ = 0;
            may_work_ = true;
        }
    }
    jobs_.abandon();
    poll_.abandon();
    key_look_.abandon();
    while (!outgoing_.empty()) step(longest_step);
    return command_;
}

}  // namespace pep381d
