#include "pep381d/sync/poll.h"

#include <algorithm>

#include <fmt/format.h>

namespace pep381d {

namespace {

// 50,000 rows of a usual length have 15 MB.
constexpr std::int64_t answer_most = 64LL << 20;
// PyPI's list has 72 MB.
constexpr std::int64_t list_most = 1LL << 30;
constexpr std::int64_t date_most = 4096;
// Of events between two questions; PyPI has so many in a month.
constexpr std::int64_t events_most = 1'000'000;

// Only this tells that the master has no such thing. That it does not answer, leads elsewhere or
// makes no sense may be a bad moment, or somebody between.
bool is_absent(const Failure& failure) {
    return failure.fault == Fault::gone;
}

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

void Poll::start(PollStart start) {
    running_ = true;
    events_known_ = listed_ = false;
    failure_.reset();
    tried_.clear();
    newest_.reset();
    began_ = clock_.now();
    start_ = std::move(start);
    cursor_ = start_.cursor;
    with_list_ = start_.with_list || !cursor_;
    said_ = {start_.protocol, {}, Dated::not_asked, start_.journal_since};
    if (said_.protocol == Protocol::automatic)
        find_protocol();
    else
        go_on();
}

void Poll::abandon() {
    running_ = false;
    list_.reset();
}

// Sends the question, and what the reader makes of the answer to `ended`.
template <class Reader, class Ended>
void Poll::ask(std::string question, std::shared_ptr<Reader> reader, Ended ended, Failed failed) {
    if (!failed) failed = [this](Failure failure, bool) { fail(std::move(failure)); };
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
    receiver.on_end = [this, reader, ended, failed](Outcome<Reply> reply) {
        if (!reply) {
            failed(std::move(reply).failure(), false);
            return;
        }
        auto result = reader->finish();
        if (!result) {
            Failure failure = std::move(result).failure();
            failure.what = fmt::format("POST {}: {}", shown(), failure.what);
            const bool fault = failure.fault == Fault::refused || is_absent(failure);
            failed(std::move(failure), fault);
            return;
        }
        ended(std::move(result).value());
    };
    transport_.start(std::move(request), std::move(receiver));
}

void Poll::fail(Failure failure) {
    running_ = false;
    list_.reset();
    if (!tried_.empty()) failure.what = fmt::format("{}; and {}", tried_, failure.what);
    failure_ = failure;
    log_.warning(fmt::format("poll_failed cause={}", quoted(failure.what)));
    send_(PollFailed{std::move(failure)});
}

// The newest first: a method that the master knows, else what needs none.
void Poll::find_protocol() {
    ask(
        request_last_serial(), std::make_shared<SerialReader>(),
        [this](Serial) { found(Protocol::warehouse); },
        [this](Failure failure, bool fault) {
            if (!fault && !is_absent(failure)) {
                stay_undecided(std::move(failure));
                return;
            }
            tried_ = failure.what;
            if (fault) {
                try_journal_by_time();
            } else {
                said_.protocol = Protocol::simple;
                go_on();
            }
        });
}

void Poll::try_journal_by_time() {
    ask(
        request_changelog_since(unix_seconds(began_)), std::make_shared<ChangelogReader>(true),
        [this](const std::vector<Event>&) { found(Protocol::pep381); },
        [this](Failure failure, bool) {
            if (!is_absent(failure)) {
                stay_undecided(std::move(failure));
                return;
            }
            said_.protocol = Protocol::simple;
            go_on();
        });
}

// An index without XML-RPC may refuse the question for good, or answer with a page for people.
void Poll::stay_undecided(Failure failure) {
    if (failure.fault == Fault::refused || failure.fault == Fault::corrupt)
        failure.what += "; set master.protocol if it is always so";
    fail(std::move(failure));
}

void Poll::found(Protocol protocol) {
    tried_.clear();
    said_.protocol = protocol;
    go_on();
}

// What it says of its own age is asked for first: what comes after it is no older.
void Poll::go_on() {
    if (!may_be_dated(said_.protocol) || !start_.dated) {
        ask_changes();
        return;
    }
    Request request;
    request.url = policy_.master + "/last-modified";
    request.most_bytes = date_most;
    request.deadline = policy_.timeout * 2;
    auto body = std::make_shared<std::string>();
    Receiver receiver;
    receiver.on_head = [](const Reply&) -> Done { return Nothing{}; };
    receiver.on_body = [body](std::string_view piece) -> Done {
        *body += piece;
        return Nothing{};
    };
    receiver.on_end = [this, body](Outcome<Reply> reply) {
        if (!reply &&
            (is_local(reply.failure().fault) || reply.failure().fault == Fault::retry_later)) {
            fail(std::move(reply).failure());
            return;
        }
        if (reply) said_.last_modified = read_last_modified(*body);
        said_.dated = said_.last_modified                    ? Dated::yes
                      : !reply && is_absent(reply.failure()) ? Dated::no
                                                             : Dated::unclear;
        ask_changes();
    };
    transport_.start(std::move(request), std::move(receiver));
}

void Poll::ask_changes() {
    if (said_.protocol == Protocol::warehouse)
        ask(request_last_serial(), std::make_shared<SerialReader>(),
            [this](Serial newest) { serial_known(newest); });
    else if (!cursor_ || said_.protocol == Protocol::simple)
        ask_list();
    else
        ask_changelog_since(start_.journal_since);
}

void Poll::serial_known(Serial newest) {
    newest_ = newest;
    if (!cursor_) {
        ask_list();
        return;
    }
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
    send_(PollDone{began_, {}, *cursor_, true, said_});
    next_step();
}

void Poll::ask_changelog() {
    ask(request_changelog(*cursor_), std::make_shared<ChangelogReader>(),
        [this](std::vector<Event> events) { take(std::move(events)); });
}

void Poll::take(std::vector<Event> events) {
    const bool full = events.size() >= changelog_page_rows;
    Serial highest = *cursor_;
    for (const Event& event : events) highest = std::max(highest, event.serial);
    if (full && highest == *cursor_) {
        fail({Fault::corrupt,
              fmt::format("POST {}: the journal answers with rows from before serial {}", shown(),
                          cursor_->value)});
        return;
    }
    // With it as cursor every true serial would seem to run backwards, for ever.
    if (highest.value - events_most > newest_->value) {
        fail({Fault::corrupt,
              fmt::format("POST {}: the journal has a row of serial {}, but its newest is {}",
                          shown(), highest.value, newest_->value)});
        return;
    }
    cursor_ = highest;
    if (!events.empty())
        log_.info(fmt::format("changelog_read rows={} serial={}", events.size(), highest.value));
    // What comes after the newest is the next poll's: a poll ends, however fast the journal grows.
    const bool more = full && highest < *newest_;
    // A replica that lags behind, or a cache: what it did not tell is not handled.
    const bool behind = !more && highest < *newest_;
    send_(PollDone{began_, std::move(events), highest, !more && !behind, said_});
    if (behind) {
        events_known_ = true;  // those that it told are no worse for it
        fail({Fault::retry_later,
              fmt::format("POST {}: the journal ends at serial {}, and its newest is {}", shown(),
                          highest.value, newest_->value)});
        return;
    }
    if (more)
        ask_changelog();
    else
        next_step();
}

void Poll::ask_changelog_since(std::int64_t since) {
    ask(request_changelog_since(since), std::make_shared<ChangelogReader>(true),
        [this, since](std::vector<Event> events) { take_timed(since, std::move(events)); });
}

// Which of these rows are known already is the committer's to say.
void Poll::take_timed(std::int64_t since, std::vector<Event> events) {
    const bool more = events.size() >= changelog_page_rows;
    std::int64_t highest = since;
    for (const Event& event : events) highest = std::max(highest, event.time);
    // Rows of the second that was cut through come again.
    if (more && highest - 1 <= since) {
        fail({Fault::corrupt,
              fmt::format("POST {}: the journal has more rows of the time {} than it tells",
                          shown(), highest)});
        return;
    }
    log_.debug(fmt::format("changelog_read rows={} since={}", events.size(), since));
    send_(PollDone{began_, std::move(events), *cursor_, !more, said_});
    if (more)
        ask_changelog_since(highest - 1);
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
    form_ = said_.protocol == Protocol::pep381 ? ListForm::names : ListForm::serials;
    const bool root = said_.protocol == Protocol::simple;
    Request request;
    if (root) {
        request.url = policy_.master + "/simple/";
        request.accept = page_types(said_.protocol);
        if (!with_list_) request.etag = start_.root_etag;
    } else {
        request.url = policy_.master + "/pypi";
        request.post = form_ == ListForm::names ? request_names() : request_list();
    }
    with_list_ = false;
    list_ = std::make_unique<Arrival>(staging_, staging_.new_path({}), Expected{});
    request.most_bytes = list_most;
    request.deadline = policy_.timeout * 60;
    Receiver receiver;
    receiver.on_head = [this, root](const Reply& reply) -> Done {
        if (root && reply.status != 304) return take_root_type(reply);
        return Nothing{};
    };
    receiver.on_body = [this](std::string_view piece) { return list_->write(piece); };
    receiver.on_end = [this](Outcome<Reply> reply) { list_ended(std::move(reply)); };
    transport_.start(std::move(request), std::move(receiver));
}

Done Poll::take_root_type(const Reply& reply) {
    const auto format = page_format(said_.protocol, reply.content_type);
    if (!format)
        return Failure{
            Fault::corrupt,
            fmt::format("GET {}: it answers with {}; is it a simple index (PEP 503, 691)?",
                        display_url(reply.url),
                        reply.content_type.empty() ? "no type" : quoted(reply.content_type))};
    form_ = *format == PageFormat::json ? ListForm::root_json : ListForm::root_html;
    return Nothing{};
}

void Poll::list_ended(Outcome<Reply> reply) {
    if (!reply) {
        if (is_local(reply.failure().fault)) give_up(reply.failure());
        fail(std::move(reply).failure());
        return;
    }
    if (reply.value().status == 304) {
        list_.reset();
        running_ = false;
        events_known_ = true;
        send_(PollDone{began_, {}, *cursor_, true, said_});
        return;
    }
    auto staged = list_->finish();
    list_.reset();
    if (!staged) give_up(staged.failure());
    running_ = false;
    listed_ = true;
    events_known_ = true;
    send_(ListArrived{began_, std::move(staged).value().path, form_, reply.value().url,
                      reply.value().etag, start_.full, said_, newest_});
}

}  // namespace pep381d
