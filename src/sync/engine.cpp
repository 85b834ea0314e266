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

std::chrono::milliseconds until(Steady then, Steady now) {
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::ceil<std::chrono::milliseconds>(then - now));
}

}  // namespace

Engine::Engine(Transport& transport, Staging& staging, Committer& committer, const Policy& policy,
               const Clock& clock, Log& log, bool recovering, Hooks hooks)
    : transport_(transport),
      staging_(staging),
      committer_(committer),
      policy_(policy),
      clock_(clock),
      log_(log),
      hooks_(std::move(hooks)),
      jobs_(transport, staging, policy, clock, recovering,
            [this](Message message) { send(std::move(message)); }),
      poll_(transport, staging, policy, clock, log,
            [this](Message message) { send(std::move(message)); }) {}

void Engine::send(Message message) {
    outgoing_.push_back(std::move(message));
    flush_outgoing();
}

void Engine::flush_outgoing() {
    while (!outgoing_.empty() && committer_.room()) {
        committer_.send(std::move(outgoing_.front()));
        outgoing_.pop_front();
    }
}

// One turn of the loop: hand over, take work, start transfers, wait for something to happen.
void Engine::step(std::chrono::milliseconds most) {
    committer_.check();
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
    }
    if (!outgoing_.empty() && committer_.room()) most = std::chrono::milliseconds(0);
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
    return outgoing_.empty() && jobs_.idle() && !poll_.running() && committer_.standing().at_rest;
}

std::optional<Failure> Engine::pass(bool poll) {
    send(RetryAll{});
    auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(policy_.patience);
    // Waits, but no longer than the patience that is left; false when that is used up.
    const auto wait = [&](std::chrono::milliseconds pause) {
        if (pause > patience) return false;
        const Steady began = clock_.steady();
        for (Steady end = began + pause; clock_.steady() < end && command_ != Command::stop;)
            step(until(end, clock_.steady()));
        patience -= pause;
        return true;
    };

    std::optional<Failure> failure;
    for (int attempt = 1; poll; ++attempt) {
        const auto standing = committer_.standing();
        const bool due = !standing.reconciled ||
                         clock_.now() - *standing.reconciled >= policy_.reconcile_interval;
        poll_.start(standing.cursor, due);
        while (poll_.running() && command_ != Command::stop) step(longest_step);
        failure = poll_.failure();
        const bool again =
            failure && failure->fault == Fault::retry_later && command_ != Command::stop;
        if (!again || !wait(retry_pause(attempt, failure->wait, 0.5))) break;
    }
    may_work_ = !failure;
    if (failure) {
        finish();
        return failure;
    }
    for (;;) {
        while (!drained() && command_ != Command::stop) {
            const Steady before = clock_.steady();
            const bool idle = jobs_.waiting();
            step(longest_step);
            if (idle)
                patience -=
                    std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - before);
            if (patience < std::chrono::milliseconds(0)) {
                may_work_ = false;
                jobs_.abandon();
                break;
            }
        }
        const auto standing = committer_.standing();
        if (command_ == Command::stop || !may_work_) break;
        if (poll && standing.wants_list && !list_asked_) {
            list_asked_ = true;
            poll_.start(standing.cursor, true);
            continue;
        }
        if (!standing.next_due) break;
        const auto pause =
            std::max(std::chrono::milliseconds(1), *standing.next_due - clock_.now());
        if (!wait(pause)) break;
    }
    finish();
    return failure;
}

// What is under way is given up, what has arrived is published.
void Engine::finish() {
    jobs_.abandon();
    poll_.abandon();
    may_work_ = false;
    send(Finish{});
    while (!outgoing_.empty() || !committer_.standing().at_rest) step(longest_step);
}

void Engine::start_poll_if_due() {
    if (poll_.running()) return;
    const Steady now = clock_.steady();
    const auto standing = committer_.standing();
    if (next_poll_ && now < *next_poll_ && command_ != Command::poll) return;
    if (command_ == Command::poll) command_ = Command::none;
    // The first list is on its way to the state: its serial is where the journal starts.
    if (!standing.cursor && !standing.at_rest && next_poll_ && !poll_.failure()) return;
    const auto age =
        standing.reconciled ? std::optional(clock_.now() - *standing.reconciled) : std::nullopt;
    const bool list_due =
        !age || *age >= policy_.reconcile_interval || (standing.wants_list && *age >= list_pause);
    poll_.start(standing.cursor, list_due);
    next_poll_ = now + policy_.poll_interval;
}

Command Engine::run() {
    bool polled = false;
    while (command_ != Command::stop && command_ != Command::reload) {
        start_poll_if_due();
        polled = polled || poll_.running();
        step(next_poll_ ? until(*next_poll_, clock_.steady()) : longest_step);
        if (!polled || poll_.running()) continue;
        polled = false;
        if (poll_.failure()) {
            // The network may be down, or the master: the queue waits with the poll.
            const auto pause = std::min(retry_pause(++failed_polls_, poll_.failure()->wait, 0.5),
                                        policy_.poll_interval * 5);
            next_poll_ = clock_.steady() + std::max(pause, std::chrono::milliseconds(1000));
        } else {
            failed_polls_ = 0;
            may_work_ = true;
        }
    }
    jobs_.abandon();
    poll_.abandon();
    while (!outgoing_.empty()) step(longest_step);
    return command_;
}

}  // namespace pep381d
