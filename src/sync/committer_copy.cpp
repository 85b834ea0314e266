// The committer's part in copying pages (pages.mode = copy): the master's key.
#include "pep381d/sync/committer.h"
#include "pep381d/sync/intake.h"

namespace pep381d {

void Committer::tell_copy(WorkItem& item) {
    item.copied = state_.copied(item.queued.name);
    item.key = master_key_.known();
    // What we show is of our own making: the master's bytes are needed.
    if (!item.copied) item.etag.clear();
}

// It was on its way while all were queued for another key, and has settled that.
void Committer::look_again_by_key(const ProjectName& project, int generation) {
    if (!policy_.copy || generation == master_key_.generation()) return;
    const auto ours = state_.published(project);
    const auto queued = state_.queued(project);
    if (!ours && !queued) return;
    if (ours) state_.forget_etag(project);
    state_.enqueue(project, ours ? ours->display : queued->display, Serial{}, Loss::nothing,
                   clock_.now(), true);
}

void Committer::handle(KeyArrived& answer) {
    ++keys_;
    if (!master_key_.arrived(answer)) return;
    take_all(state_, clock_.now());
    // What has no page yet may have failed by the old key.
    state_.retry_all_now();
    handled_changed_ = true;
}

}  // namespace pep381d
