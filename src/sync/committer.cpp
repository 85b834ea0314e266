#include "pep381d/sync/committer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/intake.h"

namespace pep381d {

namespace {

// How much may wait, counted in entries of files, before the loop stops starting transfers.
constexpr std::size_t inbox_most = 2048;
// How much one turn takes at most, counted in entries of files: three groups of this size are in
// memory at a time.
constexpr std::size_t group_most = 3000;
// Work handed out in advance, so that the network has something to do while a flush goes on.
constexpr std::size_t outbox_most = 256;
constexpr std::size_t outbox_files_most = 5'000;
// A turn waits this long for company while the loop is busy: one flush for many.
constexpr std::chrono::milliseconds company{100};
// What becomes due by the clock is looked for at most so often.
constexpr std::chrono::milliseconds shortest_rest{10};
constexpr std::size_t remade_a_turn = 200;

std::size_t weight(const Message& message) {
    const auto* page = std::get_if<PageReady>(&message);
    return page == nullptr ? 1 : 1 + page->page.files.size();
}

}  // namespace

Committer::Committer(State& state, FileTree& tree, const Policy& policy, const Clock& clock,
                     Log& log, bool daemon)
    : state_(state),
      tree_(tree),
      policy_(policy),
      clock_(clock),
      log_(log),
      daemon_(daemon),
      publisher_(state, tree, policy, clock, log,
                 [this](const PageReady& page) { recorded(page); }),
      rulings_(state, policy, clock, log),
      freshness_(state, tree, policy, clock) {}

Committer::~Committer() {
    stop();
}

void Committer::restrict_to(const std::vector<ProjectName>& projects) {
    State::Change change(state_);
    for (const ProjectName& name : projects) {
        // How an unknown project writes itself is the next list's to say.
        const auto known = state_.published(name);
        state_.enqueue(name, known ? known->display : name.text(), Serial{}, Loss::nothing,
                       clock_.now(), true);
    }
    change.commit();
    rulings_.named(projects);
    only_ = projects;
    backlog_left_ = false;
}

void Committer::start(std::function<void()> wake) {
    wake_ = std::move(wake);
    apply_changed_policy();
    counters_.pending = only_ ? static_cast<std::int64_t>(only_->size()) : state_.pending();
    note_rest();
    thread_ = std::thread([this] { run(); });
}

void Committer::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

bool Committer::room() {
    const std::lock_guard lock(mutex_);
    return inbox_weight_ < inbox_most;
}

void Committer::send(Message message) {
    {
        const std::lock_guard lock(mutex_);
        inbox_weight_ += weight(message);
        inbox_.push_back(std::move(message));
        standing_.at_rest = false;
    }
    changed_.notify_one();
}

void Committer::loop_idle(bool idle) {
    {
        const std::lock_guard lock(mutex_);
        if (loop_idle_ == idle) return;
        loop_idle_ = idle;
    }
    changed_.notify_one();
}

std::optional<WorkItem> Committer::take() {
    const std::lock_guard lock(mutex_);
    if (outbox_.empty()) return std::nullopt;
    WorkItem item = std::move(outbox_.front());
    outbox_.pop_front();
    outbox_files_ -= item.known ? item.known->files.size() : 0;
    if (hungry()) changed_.notify_one();
    return item;
}

void Committer::check() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

Committer::Standing Committer::standing() {
    const std::lock_guard lock(mutex_);
    return standing_;
}

void Committer::run() {
    try {
        for (;;) {
            cycle();
            const std::lock_guard lock(mutex_);
            if (stopping_ && inbox_.empty() && !publisher_.busy()) break;
        }
    } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
    }
    wake_();
}

void Committer::cycle() {
    std::deque<Message> messages = gather();
    take_in(messages);
    if (remaking_) remake_some();
    if (publisher_.busy()) publisher_.turn();
    feed();
    publish_outside();
    note_rest();
}

// Waits until there is something to do, then a little longer for more of it.
std::deque<Message> Committer::gather() {
    std::unique_lock lock(mutex_);
    const bool on_the_way = publisher_.busy() || remaking_ || finishing_ != finished_;
    const auto work = [&] { return !inbox_.empty() || stopping_; };
    const auto wants_feeding = [&] { return !only_ && backlog_left_ && hungry(); };
    if (!on_the_way && !work() && !wants_feeding()) {
        // Rows become due and removals ripen by the clock.
        std::chrono::milliseconds most = std::chrono::seconds(1);
        if (standing_.next_due)
            most = std::clamp(*standing_.next_due - clock_.now(), shortest_rest, most);
        changed_.wait_for(lock, most, [&] { return work() || wants_feeding(); });
    }
    if (!inbox_.empty() && !finishing_)
        changed_.wait_for(lock, company, [&] {
            return inbox_weight_ >= inbox_most / 2 || stopping_ || loop_idle_;
        });

    std::deque<Message> taken;
    for (std::size_t total = 0; !inbox_.empty() && total < group_most; inbox_.pop_front()) {
        total += weight(inbox_.front());
        inbox_weight_ -= weight(inbox_.front());
        taken.push_back(std::move(inbox_.front()));
    }
    return taken;
}

void Committer::take_in(std::deque<Message>& messages) {
    if (messages.empty()) return;
    State::Change change(state_);
    for (Message& message : messages) std::visit([this](auto& one) { handle(one); }, message);
    change.commit();
    wake_();  // there is room again
}

void Committer::handle(FileArrived& file) {
    ++counters_.files;
    counters_.bytes += file.metadata ? 0 : file.file.size.value_or(0);
    publisher_.add(std::move(file));
}

void Committer::handle(PageReady& page) {
    if (page.same)
        recorded(page);
    else
        publisher_.add(std::move(page));
}

void Committer::recorded(const PageReady& page) {
    rulings_.page_recorded(page);
    busy_.erase(page.page.name.text());
    handled_changed_ = true;
    if (!page.same) ++counters_.pages;
    if (!page.failure) --counters_.pending;
}

void Committer::handle(PageFailed& failed) {
    rulings_.page_failed(failed);
    busy_.erase(failed.project.text());
}

void Committer::handle(PageGone& gone) {
    rulings_.page_gone(gone);
    busy_.erase(gone.project.text());
    handled_changed_ = true;
}

void Committer::handle(PageStale& stale) {
    rulings_.page_stale(stale);
    busy_.erase(stale.project.text());
    handled_changed_ = true;
}

void Committer::handle(PageLoses& loses) {
    rulings_.page_loses(loses);
    busy_.erase(loses.project.text());
}

void Committer::handle(PollDone& poll) {
    take_events(state_, policy_.filter, poll.events, poll.began, poll.cursor);
    state_.set(Note::cursor, poll.cursor.value);
    if (!poll.last) return;
    state_.record_poll(poll.began);
    state_.set(Note::last_poll, poll.began);
    state_.set(Note::last_error, std::string_view{});
    counters_.pending = state_.pending();
    handled_changed_ = true;
}

void Committer::handle(PollFailed& failed) {
    state_.set(Note::last_error, failed.failure.what);
}

void Committer::handle(ListArrived& list) {
    // Of a list that turns out to be no good at its end, nothing stays.
    std::optional<State::Change> change(state_);
    const auto result = take_list(state_, tree_, policy_.filter, list.staged, list.began,
                                  policy_.keep_deleted, log_);
    if (result) note_list(list, result.value());
    if (result) change->commit();
    change.reset();

    if (Done removed = tree_.remove(list.staged); !removed) throw Fatal(5, removed.failure().what);
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
    // The first list: the journal is read from its newest serial on. A fresher start would leave a
    // hole, since lists are cached.
    if (!state_.number(Note::cursor)) state_.set(Note::cursor, found.highest.value);
    backlog_after_.clear();
    backlog_left_ = true;
    counters_.pending = state_.pending();
    handled_changed_ = true;
}

void Committer::handle(RetryAll&) {
    state_.retry_all_now();
}

// The loop has given up what it was handed and has not sent back.
void Committer::handle(Finish&) {
    finishing_ = true;
    busy_.clear();
    const std::lock_guard lock(mutex_);
    outbox_.clear();
    outbox_files_ = 0;
}

std::string Committer::formats() const {
    return std::string(policy_.html ? "html " : "") + (policy_.json ? "json" : "");
}

// A mirror that was made with another configuration is brought to this one.
void Committer::apply_changed_policy() {
    const std::string files =
        fmt::format("files={} core-metadata={}", policy_.page.files, policy_.page.core_metadata);
    const std::string filter = policy_.filter.fingerprint();

    State::Change change(state_);
    const auto changed = [&](Note note, const std::string& now) {
        const auto before = state_.text(note);
        return before && *before != now;
    };
    if (changed(Note::made_files, files)) {
        state_.forget_etags();
        for (std::string after;;) {
            const auto names = state_.projects_after(after, 1000);
            if (names.empty()) break;
            for (const ProjectName& name : names)
                state_.enqueue(name, state_.published(name)->display, Serial{}, Loss::nothing,
                               clock_.now(), true);
            after = names.back().text();
        }
    }
    if (changed(Note::made_filter, filter)) {
        take_unwanted(state_, policy_.filter, clock_.now());
        // What is newly wanted stands in the list alone: it is due at once.
        state_.set(Note::reconciled, Time{});
    }
    remaking_ = changed(Note::made_formats, formats());
    publisher_.hold_root(remaking_);
    // Half of the way to other formats than these is no progress.
    const std::string on_the_way = "on the way to " + formats();
    if (remaking_ && *state_.text(Note::made_formats) != on_the_way)
        state_.set(Note::remade, std::string_view{});
    state_.set(Note::made_formats, remaking_ ? on_the_way : formats());
    state_.set(Note::made_files, files);
    state_.set(Note::made_filter, filter);
    state_.set(Note::master, policy_.master_shown);
    change.commit();
}

// Pages are made again from what the state holds, some a turn, by name; a crash goes on where it
// was.
void Committer::remake_some() {
    const auto names = state_.projects_after(state_.text(Note::remade).value_or(""), remade_a_turn);
    for (const ProjectName& name : names) publisher_.remake(name);
    if (!names.empty()) {
        // Two turns later than the pages that it speaks of would be enough; a crash in between is
        // met by starting over.
        for (int turns = 0; turns < 3; ++turns) publisher_.turn();
        State::Change change(state_);
        state_.set(Note::remade, names.back().text());
        change.commit();
        return;
    }
    State::Change change(state_);
    state_.set(Note::made_formats, formats());
    state_.set(Note::root_changes, state_.number(Note::root_changes).value_or(0) + 1);
    change.commit();
    publisher_.hold_root(false);
    publisher_.want_root();
    remaking_ = false;
}

void Committer::feed() {
    if (remaking_ || finishing_) return;
    std::size_t room = 0;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || !hungry()) return;
        room = outbox_most - outbox_.size();
    }
    const Time now = clock_.now();
    if (only_) {
        std::vector<Queued> named;
        for (const ProjectName& name : *only_)
            if (auto queued = state_.queued(name); queued && queued->not_before <= now)
                named.push_back(std::move(*queued));
        feed_some(named);
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

bool Committer::hungry() const {
    return outbox_.size() < outbox_most / 2 && outbox_files_ < outbox_files_most;
}

// As many as there is room for. The last name that was looked at.
std::string Committer::feed_some(const std::vector<Queued>& all) {
    std::string last;
    bool fed = false;
    for (const Queued& queued : all) {
        last = queued.name.text();
        if (busy_.count(last) != 0) continue;
        if (!policy_.filter.wants(queued.name)) {
            State::Change change(state_);
            rulings_.unwanted(queued);
            change.commit();
            continue;
        }
        WorkItem item{queued, {}, state_.page(queued.name), false};
        if (const auto ours = state_.published(queued.name)) {
            item.etag = ours->etag;
            item.shown = ours->page;
        }
        // A serial that the journal has not reached came from a page that lied, or that was newer
        // than the last poll: the page is read again, whatever it shows.
        if (item.known && item.known->serial.value > state_.number(Note::cursor).value_or(0)) {
            item.known->serial = Serial{};
            item.etag.clear();
        }
        busy_.insert(queued.name.text());
        const std::lock_guard lock(mutex_);
        outbox_files_ += item.known ? item.known->files.size() : 0;
        outbox_.push_back(std::move(item));
        fed = true;
        if (outbox_files_ >= outbox_files_most) break;
    }
    if (fed) wake_();
    return last;
}

bool Committer::nothing_left() {
    const bool work = !busy_.empty() || backlog_left_;
    return (finishing_ || !work) && !remaking_ && !publisher_.busy();
}

// The root index, last-modified and status.
void Committer::publish_outside() {
    // Before the master's first list was understood there is nothing to show.
    if (!state_.number(Note::cursor) && !state_.number(Note::root_changes)) {
        finished_ = finished_ || finishing_;
        return;
    }
    if (rulings_.take_removed()) publisher_.want_root();
    if (daemon_ && !publisher_.root_current()) {
        const auto written = publisher_.root_written();
        const bool rested = !written || clock_.steady() - *written >= policy_.root_interval;
        const bool first = !state_.time(Note::last_modified) && nothing_left();
        if (rested || first) publisher_.want_root();
    }
    if (!finishing_ && !daemon_) return;
    if (finishing_ && !publisher_.root_current()) publisher_.want_root();
    if (publisher_.busy() || remaking_ || finished_) return;

    if (handled_changed_ && !only_ && (finishing_ || !backlog_left_) && publisher_.root_current()) {
        freshness_.publish_last_modified();
        handled_changed_ = false;
    }
    if (daemon_ && !finishing_ && publisher_.root_written() != status_written_) {
        freshness_.publish_status();
        status_written_ = publisher_.root_written();
    }
    if (!finishing_) return;
    freshness_.publish_status();
    finished_ = true;
}

std::optional<Time> Committer::next_due() {
    if (!only_) return state_.next_due();
    std::optional<Time> next;
    for (const ProjectName& name : *only_)
        if (const auto queued = state_.queued(name);
            queued && (!next || queued->not_before < *next))
            next = queued->not_before;
    return next;
}

void Committer::note_rest() {
    const bool resting = nothing_left() && (finished_ || !finishing_);
    const auto due = next_due();
    const bool due_now = due && *due <= clock_.now() && !finishing_;
    const auto cursor = state_.number(Note::cursor);
    const auto reconciled = state_.time(Note::reconciled);
    {
        const std::lock_guard lock(mutex_);
        standing_.at_rest = resting && inbox_.empty() && outbox_.empty() && !due_now;
        standing_.next_due = due;
        standing_.wants_list = rulings_.wants_list();
        standing_.cursor = cursor ? std::optional(Serial{*cursor}) : std::nullopt;
        standing_.reconciled = reconciled;
        standing_.lists = lists_;
        standing_.list_failure = list_failure_;
    }
    if (resting && wake_) wake_();
}

}  // namespace pep381d
