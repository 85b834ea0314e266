// The committer's part in the sweep (sync/sweep.h): when it may ask, and what follows from an
// answer.
#include "pep381d/sync/committer.h"

namespace pep381d {

void Committer::sweep(std::chrono::milliseconds interval) {
    if (interval.count() > 0) sweep_.emplace(state_, policy_.filter, clock_, interval);
}

// Nothing waits for us, and nothing is on its way.
bool Committer::quiet() const {
    return busy_.empty() && !only_ && !backlog_left_ && !reshape_.running() && !finishing_;
}

void Committer::go_on_sweeping() {
    if (!sweep_ || !sweep_->due() || !quiet() || publisher_.busy()) return;
    if (const auto queued = sweep_->take()) {
        hand_out(*queued);
        wake_();
    }
}

// Whether this look was the sweep's and nothing follows from it, least of all a write. News take
// the way of all that is queued: the same rules decide what is believed, and when.
bool Committer::sweep_passes(const ProjectName& project, Look look) {
    if (!sweep_ || !sweep_->awaits(project)) return false;
    if (look == Look::failed)
        sweep_->failed();
    else
        sweep_->answered(look == Look::news);
    if (look != Look::news) return true;
    // An event that came meanwhile knows more.
    const auto ours = state_.published(project);
    if (ours && !state_.queued(project))
        state_.enqueue(project, ours->display, Serial{}, Loss::nothing, clock_.now(), true);
    return false;
}

}  // namespace pep381d
