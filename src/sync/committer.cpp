#include "pep381d/sync/committer.h"

#include <algorithm>
#include <utility>

#include "pep381d/sync/failure_summary.h"
#include "pep381d/sync/knowledge.h"

#include "sync/must.h"

namespace pep381d {

namespace {

// How much may wait, counted in entries of files, before the loop stops starting transfers.
constexpr std::size_t inbox_most = 2048;
// How much one turn takes at most, counted in entries of files: three groups of this size are in
// memory at a time.
constexpr std::size_t group_most = 2000;
// A turn waits this long for company while the loop is busy: one flush for many.
constexpr std::chrono::milliseconds company{100};
// ... or until so much has come together.
constexpr std::size_t company_enough = inbox_most / 2;
// What becomes due by the clock is looked for at most so often.
constexpr std::chrono::milliseconds shortest_rest{10};

std::size_t weight(const Message& message) {
    const auto* page = std::get_if<PageReady>(&message);
    return page == nullptr ? 1 : 1 + page->page.files.size() + page->kept.size();
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
      publisher_(
          state, tree, policy, clock,
          [this](const PageReady& page, const Replaced& replaced) { recorded(page, replaced); }),
      reshape_(state, tree, publisher_, policy, clock),
      rulings_(state, tree, policy, clock, log),
      master_key_(state, clock, log),
      freshness_(state, tree, policy, clock),
      repairs_(
          state, tree, publisher_, clock,
          [this](const ProjectName& name) { return busy_.contains(name.text()); },
          [this](const ProjectName& name) { busy_.insert(name.text()); }),
      failures_told_(clock.steady()) {}

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
    with_backlog_ = backlog_left_ = false;
}

void Committer::verify(ScrubPolicy policy) {
    if (policy.once) with_backlog_ = backlog_left_ = false;
    scrub_.emplace(state_, tree_, repairs_, std::move(policy), clock_, log_);
}

void Committer::start(std::function<void()> wake) {
    wake_ = std::move(wake);
    {
        State::Change change(state_);
        adopt_protocol();
        known_ = master_known();
        look_for_older_tree();
        // Who has an order to take something down waits neither for the network nor for a turn.
        for (const ProjectName& name : reshape_.begin())
            if (const auto queued = state_.queued(name)) rulings_.unwanted(*queued);
        change.commit();
    }
    // What it takes from the tree comes back when the change that is recorded by now has ended.
    publisher_.hold_root(reshape_.running());
    note_rest();
    thread_ = std::thread([this] { run(); });
}

// A new state beside pages or files: theirs was lost.
void Committer::look_for_older_tree() {
    const bool is_new = !state_.number(Note::cursor) && !state_.number(Note::root_written);
    if (is_new && (has_any(tree_, "simple") || has_any(tree_, "packages")))
        state_.set(Note::older_tree, older_tree_unlisted);
    older_tree_ = state_.number(Note::older_tree).has_value();
    publisher_.take_over_changes();
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

bool Committer::behind() {
    const std::lock_guard lock(mutex_);
    return inbox_weight_ >= company_enough;
}

void Committer::send(Message message) {
    bool awaited = false;
    {
        const std::lock_guard lock(mutex_);
        const std::size_t before = inbox_weight_;
        inbox_weight_ += weight(message);
        inbox_.push_back(std::move(message));
        standing_.at_rest = false;
        awaited = before == 0 || (before < company_enough && inbox_weight_ >= company_enough);
    }
    if (awaited) changed_.notify_one();
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
    const bool was_hungry = hungry();
    WorkItem item = std::move(outbox_.front());
    outbox_.pop_front();
    outbox_files_ -= item.known ? item.known->files.size() : 0;
    if (!was_hungry && hungry()) changed_.notify_one();
    return item;
}

void Committer::reclaim() {
    std::vector<Spent> spent;
    const std::lock_guard lock(mutex_);
    spent.swap(spent_);
}

void Committer::give_back() {
    Spent spent = publisher_.take_spent();
    if (spent.empty()) return;
    const std::lock_guard lock(mutex_);
    spent_.push_back(std::move(spent));
}

void Committer::check() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

Committer::Standing Committer::standing() const {
    const std::lock_guard lock(mutex_);
    return standing_;
}

void Committer::run() {
    try {
        for (;;) {
            cycle();
            const std::lock_guard lock(mutex_);
            if (stopping_) publisher_.leave();
            if (stopping_ && inbox_.empty() && !publisher_.busy()) break;
        }
        if (sweep_) sweep_->leave();
        if (scrub_) scrub_->leave();
    } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
    }
    wake_();
}

void Committer::cycle() {
    std::deque<Message> messages = gather();
    take_in(messages);
    if (reshape_.running()) reshape_.go_on();
    // Before any work is handed out: a page that arrives would be replaced by one of before it.
    if (!reshape_.running() && !std::exchange(repairs_taken_up_, true)) repairs_.take_up();
    if (publisher_.busy()) publisher_.turn();
    give_back();
    scrub();
    feed();
    go_on_sweeping();
    publish_outside();
    tell_failures();
    note_rest();
}

// A master's bad day would fill the log with a line for each project and try.
void Committer::tell_failures() {
    constexpr std::chrono::minutes pause{1};
    constexpr std::size_t most = 10'000;
    const Steady now = clock_.steady();
    if (!daemon_ || !failed_since_ || now - failures_told_ < pause) return;
    failed_since_ = false;
    failures_told_ = now;
    if (const auto count = state_.failing(); count > 0)
        log_.warning(failure_summary(state_.failing_projects(most), count));
}

// What others wait for comes first: a slice only when nobody has anything for us.
void Committer::scrub() {
    if (!scrub_due() || reshape_.running()) return;
    {
        const std::lock_guard lock(mutex_);
        if (!inbox_.empty() || stopping_) return;
    }
    scrub_->go_on();
    if (scrub_->take_mended()) handled_changed_ = true;
}

// Waits until there is something to do, then a little longer for more of it.
std::deque<Message> Committer::gather() {
    const bool may_feed = !only_ && backlog_left_ && room_ && !awaits_key();
    std::unique_lock lock(mutex_);
    const bool on_the_way =
        publisher_.busy() || reshape_.running() || finishing_ != finished_ || scrub_due();
    const auto work = [&] { return !inbox_.empty() || stopping_; };
    const auto wants_feeding = [&] { return may_feed && hungry(); };
    if (!on_the_way && !work() && !wants_feeding()) {
        // Rows become due and removals ripen by the clock.
        std::chrono::milliseconds most = std::chrono::seconds(1);
        if (standing_.next_due && room_)
            most = std::clamp(*standing_.next_due - clock_.now(), shortest_rest, most);
        const auto no_later = [&](std::optional<Steady> then) {
            if (!then) return;
            most = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*then - clock_.steady()),
                              std::chrono::milliseconds(1), most);
        };
        no_later(scrub_ ? scrub_->next() : std::nullopt);
        no_later(sweep_ && quiet() ? sweep_->next() : std::nullopt);
        changed_.wait_for(lock, most, [&] { return work() || wants_feeding(); });
    }
    if (!inbox_.empty() && !finishing_)
        changed_.wait_for(lock, company, [&] {
            return inbox_weight_ >= company_enough || stopping_ || loop_idle_;
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
    known_ = master_known();
    change.commit();
    wake_();  // there is room again
}

bool Committer::nothing_left() {
    const bool verifying = scrub_ && scrub_->round_left();
    const bool work = !busy_.empty() || backlog_left_ || verifying;
    return (finishing_ || !work) && !reshape_.running() && !publisher_.busy();
}

// All that it had is read again, or gone.
void Committer::forget_older_tree() {
    if (!older_tree_ || !state_.number(Note::cursor) || state_.waits_for_master()) return;
    State::Change change(state_);
    state_.unset(Note::older_tree);
    state_.set(Note::root_changes, state_.number(Note::root_changes).value_or(0) + 1);
    change.commit();
    older_tree_ = false;
}

// The root index, last-modified and status.
void Committer::publish_outside() {
    // Before the master's first list was understood there is nothing to show.
    const bool has_changed = state_.number(Note::root_changes) && !older_tree_;
    if (!state_.number(Note::cursor) && !has_changed) {
        finished_ = finished_ || finishing_;
        return;
    }
    forget_older_tree();
    if (rulings_.take_removed()) publisher_.want_root();
    if (daemon_ && !publisher_.root_current()) {
        const auto written = publisher_.root_written();
        const bool rested = !written || clock_.steady() - *written >= policy_.root_interval;
        const bool first = !state_.time(Note::last_modified) && nothing_left();
        if (rested || first) publisher_.want_root();
    }
    if (!finishing_ && !daemon_) return;
    if (finishing_ && !publisher_.root_current()) publisher_.want_root();
    if (publisher_.busy() || reshape_.running() || finished_) return;

    if (handled_changed_ && !only_ && (finishing_ || !backlog_left_) && publisher_.root_current()) {
        freshness_.publish_last_modified();
        handled_changed_ = false;
    }
    if (daemon_ && !finishing_ &&
        (status_changed_ || publisher_.root_written() != status_written_)) {
        freshness_.publish_status();
        status_written_ = publisher_.root_written();
        status_changed_ = false;
    }
    if (!finishing_) return;
    freshness_.publish_status();
    finished_ = true;
}

std::int64_t Committer::pending() {
    if (!only_) return state_.pending();
    return std::count_if(only_->begin(), only_->end(), [this](const ProjectName& name) {
        return state_.queued(name).has_value();
    });
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
    counters_.pending = pending();
    const bool resting = nothing_left() && (finished_ || !finishing_);
    const auto due = next_due();
    const bool due_now = due && *due <= clock_.now() && !finishing_;
    const auto cursor = state_.number(Note::cursor);
    const auto reconciled = state_.time(Note::reconciled);
    const bool key_due = policy_.copy && master_key_.due();
    bool list_taken_in = false;  // the loop waits for that
    bool key_awaited = false;    // and we for the loop
    {
        const std::lock_guard lock(mutex_);
        standing_.at_rest = resting && inbox_.empty() && outbox_.empty() && !due_now;
        standing_.next_due = due;
        standing_.wants_list = rulings_.wants_list();
        standing_.cursor = cursor ? std::optional(Serial{*cursor}) : std::nullopt;
        standing_.reconciled = reconciled;
        standing_.key_due = key_due;
        standing_.key_at_once = key_due && master_key_.at_once();
        key_awaited = awaits_key() && !standing_.key_awaited;
        standing_.key_awaited = awaits_key();
        standing_.keys = keys_;
        standing_.master = known_;
        list_taken_in = standing_.lists != lists_;
        standing_.lists = lists_;
        standing_.list_failure = list_failure_;
    }
    if ((resting || list_taken_in || key_awaited) && wake_) wake_();
}

}  // namespace pep381d
