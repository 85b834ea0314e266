#include "pep381d/sync/scrub.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/sync/knowledge.h"

namespace pep381d {

namespace {

// What is read at a time: 10 ms of hashing in software, 40 ms of a slow disk.
constexpr std::size_t slice = 4 << 20;
// So many projects may wait to be mended before no more is looked for.
constexpr std::size_t waiting_most = 100;
// What a file counts for beside its bytes: its entry in the tree, its looks, its part of a page.
constexpr double file_cost = 32 << 10;
// A round ends somewhat before its time, so that it need not hurry.
constexpr double part_of_interval = 0.9;
// Between two looks at whether there is a whole mirror yet.
constexpr std::chrono::minutes not_yet{1};

}  // namespace

Scrub::Scrub(State& state, FileTree& tree, Repairs& repairs, ScrubPolicy policy, const Clock& clock,
             Log& log)
    : state_(state),
      tree_(tree),
      repairs_(repairs),
      policy_(std::move(policy)),
      clock_(clock),
      log_(log),
      due_(clock.steady()) {
    if (!policy_.once && policy_.interval.count() == 0) over_ = true;
}

bool Scrub::round_left() const {
    return policy_.once && (!over_ || repairs_.waiting() > 0);
}

std::optional<Steady> Scrub::next() const {
    if (over_ && repairs_.waiting() == 0) return std::nullopt;
    return due_;
}

bool Scrub::due() const {
    const auto when = next();
    return when && clock_.steady() >= *when;
}

void Scrub::start_round() {
    const RoundKind kind = !policy_.once  ? RoundKind::scrub
                           : policy_.hash ? RoundKind::command
                                          : RoundKind::looks;
    round_.emplace(state_, tree_, kind, policy_.threads, clock_, true);
    counters_.of = round_->of();
    const Totals totals = state_.totals();
    const double all = static_cast<double>(totals.bytes) +
                       file_cost * static_cast<double>(totals.files + totals.projects + 1);
    const double seconds =
        std::chrono::duration<double>(policy_.interval).count() * part_of_interval;
    bytes_a_second_ = all / std::max(seconds, 1e-3);
    log_.debug(fmt::format("scrub_{} since={} projects={} of={}",
                           round_->resumed() ? "resumed" : "began", format_iso(round_->began()),
                           round_->projects(), round_->of()));
}

void Scrub::end_round() {
    const Time began = round_->began();
    round_->note_place();
    round_.reset();
    if (policy_.once) {
        over_ = true;
        if (counters_.found == 0) return;
        // What was in the way of something may be gone.
        State::Change change(state_);
        state_.retry_all_now();
        change.commit();
        return;
    }
    // A small mirror has its rest until the next round.
    const auto rest =
        std::max(std::chrono::milliseconds(1), began + policy_.interval - clock_.now());
    due_ = clock_.steady() + std::min(rest, policy_.interval);
}

void Scrub::leave() {
    if (round_) round_->note_place();
}

void Scrub::go_on() {
    repairs_.go_on();
    due_ = clock_.steady() + std::chrono::milliseconds(10);
    if (over_ || repairs_.waiting() >= waiting_most) return;
    if (!policy_.once && !round_ && !state_.time(Note::last_modified)) {
        due_ = clock_.steady() + not_yet;
        return;
    }
    if (!round_) start_round();
    const Steady began = clock_.steady();
    const bool more = round_->go_on(slice);
    for (const Finding& finding : round_->verification().take()) take(finding);
    counters_.projects = round_->projects();
    counters_.bytes = round_->verification().bytes();
    const std::chrono::duration<double> pause(static_cast<double>(slice) / bytes_a_second_);
    due_ = policy_.once ? began : began + std::chrono::duration_cast<Steady::duration>(pause);
    if (!more) end_round();
}

// A stray does no harm, and what the state does not know of may be all that there is of it: it goes
// when somebody asks for that, and not where what the master removes is kept.
bool Scrub::may_mend(const Finding& finding) {
    return finding.flaw != Flaw::stray ||
           (policy_.once && state_.text(Note::made_deletes) != "keep");
}

void Scrub::take(const Finding& finding) {
    if (!is_fault(finding.flaw)) {
        if (policy_.tell) policy_.tell(finding, false);
        return;
    }
    const bool mended = may_mend(finding) && repairs_.add(finding);
    mended_ = mended_ || mended;
    ++counters_.found;
    if (!mended) ++counters_.not_mended;
    if (policy_.tell) {
        policy_.tell(finding, mended);
        return;
    }
    const std::string what = fmt::format("{}: {}", finding.path, finding.cause);
    log_.warning(fmt::format("damage_found kind={} path={} cause={} {}", name_of(finding.flaw),
                             quoted(finding.path), quoted(finding.cause),
                             mended ? "repaired" : "not repaired"));
    State::Change change(state_);
    state_.set(Note::damages, state_.number(Note::damages).value_or(0) + 1);
    state_.set(Note::newest_damage, fmt::format("{}: {}", format_iso(clock_.now()), what));
    change.commit();
}

}  // namespace pep381d
