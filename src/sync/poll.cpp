#include "pep381d/sync/poll.h"

#include <fmt/format.h>

namespace pep381d {

namespace {

// 50,000 rows of a usual length have 15 MB.
constexpr std::int64_t answer_most = 64LL << 20;
// PyPI's list has 72 MB.
constexpr std::int64_t list_most = 1LL << 30;

}  // namespace

Poll::Poll(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock,
           Log& log, Send send)
    : transport_(transport),
      staging_(staging),
      policy_(policy),
      clock_(clock),
      log_(log),
      send_(std::move(send)) {}

Poll::~Poll() = default;

void Poll::start(std::optional<Serial> cursor, bool with_list) {
    running_ = true;
    events_known_ = listed_ = false;
    failure_.reset();
    began_ = clock_.now();
    cursor_ = cursor;
    with_list_ = with_list || !cursor;
    if (!cursor) {
        ask_list();
        return;
    }
    ask(request_last_serial(), std::make_shared<SerialReader>(),
        [this](Serial newest) { serial_known(newest); });
}

void Poll::abandon() {
    running_ = false;
    list_.reset();
}

// Sends the question, and what the reader makes of the answer to `ended`.
template <class Reader, class Ended>
void Poll::ask(std::string question, std::shared_ptr<Reader> reader, Ended ended) {
    Request request;
    request.url = policy_.master + "/pypi";
    request.post = std::move(question);
    request.most_bytes = answer_most;
    request.deadline = policy_.timeout * 10;
    Receiver receiver;
    receiver.on_head = [](const Reply&) -> Done { return Nothing{}; };
    receiver.on_body = [this, reader](std::string_view piece) -> Done {
        Done fed = reader->feed(piece);
        if (!fed)
            return Failure{fed.failure().fault,
                           fmt::format("POST {}: {}", shown(), fed.failure().what),
                           fed.failure().wait};
        return fed;
    };
    receiver.on_end = [this, reader, ended](Outcome<Reply> reply) {
        if (!reply) {
            fail(std::move(reply).failure());
            return;
        }
        auto result = reader->finish();
        if (!result) {
            const Failure& failure = result.failure();
            fail({failure.fault, fmt::format("POST {}: {}", shown(), failure.what), failure.wait});
            return;
        }
        ended(std::move(result).value());
    };
    transport_.start(std::move(request), std::move(receiver));
}

void Poll::fail(Failure failure) {
    running_ = false;
    list_.reset();
    failure_ = failure;
    log_.warning(fmt::format("poll_failed cause={}", quoted(failure.what)));
    send_(PollFailed{std::move(failure)});
}

void Poll::serial_known(Serial newest) {
    newest_ = newest;
    if (newest < *cursor_) {
        fail({Fault::corrupt, fmt::format("POST {}: the master's serial ran backwards, from {} to "
                                          "{}: it may have been restored from a backup; "
                                          "nothing is changed here. Where that is meant, remove "
                                          "the state file and run `pep381d sync`",
                                          shown(), cursor_->value, newest.value)});
        return;
    }
    if (newest > *cursor_) {
        ask_changelog();
        return;
    }
    send_(PollDone{began_, {}, *cursor_, true});
    next_step();
}

void Poll::ask_changelog() {
    ask(request_changelog(*cursor_), std::make_shared<ChangelogReader>(),
        [this](std::vector<Event> events) { take(std::move(events)); });
}

void Poll::take(std::vector<Event> events) {
    const bool more = events.size() >= changelog_page_rows;
    Serial highest = *cursor_;
    for (const Event& event : events) highest = std::max(highest, event.serial);
    if (more && highest == *cursor_) {
        fail({Fault::corrupt,
              fmt::format("POST {}: the journal answers with rows from before serial {}", shown(),
                          cursor_->value)});
        return;
    }
    cursor_ = highest;
    if (!events.empty())
        log_.info(fmt::format("changelog_read rows={} serial={}", events.size(), highest.value));
    // A replica that lags behind, or a cache: what it did not tell is not handled.
    const bool behind = !more && highest < newest_;
    send_(PollDone{began_, std::move(events), highest, !more && !behind});
    if (behind) {
        events_known_ = true;  // those that it told are no worse for it
        fail({Fault::retry_later,
              fmt::format("POST {}: the journal ends at serial {}, and its newest is {}", shown(),
                          highest.value, newest_.value)});
        return;
    }
    if (more)
        ask_changelog();
    else
        next_step();
}

void Poll::next_step() {
    events_known_ = true;
    if (with_list_)
        ask_list();
    else
        running_ = false;
}

// The list goes to disk first: nothing is compared with half of one, and its size is no matter for
// memory.
void Poll::ask_list() {
    with_list_ = false;
    list_ = std::make_unique<Arrival>(staging_, staging_.new_path({}), Expected{});
    Request request;
    request.url = policy_.master + "/pypi";
    request.post = request_list();
    request.most_bytes = list_most;
    request.deadline = policy_.timeout * 60;
    Receiver receiver;
    receiver.on_head = [](const Reply&) -> Done { return Nothing{}; };
    receiver.on_body = [this](std::string_view piece) { return list_->write(piece); };
    receiver.on_end = [this](Outcome<Reply> reply) { list_ended(std::move(reply)); };
    transport_.start(std::move(request), std::move(receiver));
}

void Poll::list_ended(Outcome<Reply> reply) {
    if (!reply) {
        if (is_local(reply.failure().fault)) give_up(reply.failure());
        fail(std::move(reply).failure());
        return;
    }
    auto staged = list_->finish();
    list_.reset();
    if (!staged) give_up(staged.failure());
    running_ = false;
    listed_ = true;
    send_(ListArrived{began_, std::move(staged).value().path});
}

}  // namespace pep381d
