#include "pep381d/sync/rulings.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/net/retry.h"
#include "pep381d/plan/removal.h"

#include "sync/stale_page.h"

namespace pep381d {

namespace {

// What the guard holds back is looked at again after this long.
constexpr std::chrono::minutes held_pause{10};

}  // namespace

void Rulings::postpone(const Queued& queued, const Failure& failure) {
    const auto pause = retry_pause(queued.attempts + 1, failure.wait, policy_.random());
    state_.postpone(queued.name, clock_.now() + pause, clock_.now(), failure);
    log_.debug(fmt::format("project_postponed name={} attempts={} cause={}", queued.name.text(),
                           queued.attempts + 1, quoted(failure.what)));
}

void Rulings::page_recorded(const PageReady& page) {
    const ProjectName& name = page.page.name;
    if (page.read) state_.clear_skipped(name);
    for (const Refused& item : page.refused) {
        state_.skip(name.text(), item.file, item.cause);
        log_.warning(fmt::format("file_skipped project={} file={} cause={}", name.text(),
                                 quoted(item.file), quoted(item.cause)));
    }
    if (page.page.quarantined()) removed_ = true;
    const auto queued = state_.queued(name);
    if (!queued) return;
    if (page.stale) state_.note_stale(name, clock_.now());
    if (page.failure) {
        state_.note_candidate(name, false);
        postpone(*queued, *page.failure);
        log_.debug(fmt::format("project_incomplete name={} cause={}", name.text(),
                               quoted(page.failure->what)));
    } else {
        state_.settle(name, page.handled);
    }
}

void Rulings::page_failed(const PageFailed& failed) {
    if (const auto queued = state_.queued(failed.project)) postpone(*queued, failed.failure);
}

void Rulings::page_gone(const PageGone& gone) {
    const auto queued = state_.queued(gone.project);
    if (!queued) return;
    const auto ours = state_.published(gone.project);
    if (ours && ours->page) {
        state_.note_candidate(gone.project, true);
        judge(*queued, true, gone.what);
    } else {
        unknown_gone(*queued, gone.what);
    }
}

void Rulings::page_stale(const PageStale& stale) {
    const auto queued = state_.queued(stale.project);
    if (!queued) return;
    const std::string what = stale_page(policy_, stale.project, stale.shown, queued->serial);
    state_.note_stale(stale.project, clock_.now());
    if (queued->last_loss == Loss::project)
        judge(*queued, false, what);
    else
        postpone(*queued, {Fault::corrupt, what});
}

void Rulings::page_loses(const PageLoses& loses) {
    const auto queued = state_.queued(loses.project);
    if (!queued) return;
    const Time now = clock_.now();
    state_.note_unexplained_loss(loses.project, now);
    const std::string what = fmt::format(
        "{}/simple/{}/: files have left the page without an event that explains it; "
        "ours stays until a second look",
        policy_.master_shown, loses.project.text());
    state_.postpone(loses.project, now + second_look, now, {Fault::corrupt, what});
    log_.warning(
        fmt::format("page_loses_files name={} cause={}", loses.project.text(), quoted(what)));
}

void Rulings::judge(const Queued& queued, bool page_gone, const std::string& what) {
    GoneEvidence evidence;
    evidence.page_gone = page_gone;
    evidence.last_loss = queued.last_loss;
    evidence.listed_out =
        queued.absent && state_.number(Note::list_serial).value_or(0) >= queued.serial.value;
    evidence.looks = queued.attempts + 1;
    evidence.first_failed = queued.first_failed;
    evidence.absent = queued.absent;
    evidence.now = clock_.now();
    switch (judge_gone(evidence)) {
        case Verdict::gone:
            drop(queued, what);
            return;
        case Verdict::ask_list:
            wants_list_ = true;
            break;
        case Verdict::wait:
            break;
    }
    postpone(queued, {Fault::gone, what});
}

// Nothing of it is published: there is nothing to lose, only a place in the queue.
void Rulings::unknown_gone(const Queued& queued, const std::string& what) {
    const bool asked_for = std::find(named_.begin(), named_.end(), queued.name) != named_.end();
    const bool long_gone = queued.attempts >= 2 && queued.first_failed &&
                           clock_.now() - *queued.first_failed > std::chrono::hours(1);
    if (asked_for) not_at_master_.push_back(queued.name.text());
    if (!asked_for && !long_gone && queued.last_loss != Loss::project) {
        postpone(queued, {Fault::gone, what});
        return;
    }
    state_.drop_project(queued.name);  // rows of files that came before their page
    state_.settle(queued.name, queued.serial);
}

bool Rulings::held_back(const Queued& queued, const std::string& why) {
    const auto candidates = state_.deletion_candidates();
    if (queued.allowed ||
        !too_many_deletions(candidates, state_.totals().projects, policy_.max_deleted_fraction))
        return false;
    const Time now = clock_.now();
    const std::string what = fmt::format(
        "{}; held back: {} of {} projects are to go, more than deletes.max-fraction; "
        "`pep381d allow-deletions` confirms it",
        why, candidates, state_.totals().projects);
    state_.hold(queued.name, now + held_pause, now, what);
    log_.warning(fmt::format("deletion_held name={} cause={}", queued.name.text(), quoted(what)));
    return true;
}

void Rulings::drop(const Queued& queued, const std::string& why) {
    if (!policy_.keep_deleted) {
        if (held_back(queued, why)) return;
        state_.drop_project(queued.name);
        removed_ = true;
    }
    state_.settle(queued.name, queued.serial);
    log_.info(fmt::format("project_{} name={} cause={}", policy_.keep_deleted ? "kept" : "removed",
                          queued.name.text(), quoted(why)));
}

void Rulings::unwanted(const Queued& queued) {
    const auto ours = state_.published(queued.name);
    const std::string why = "the configuration no longer wants it (filter.projects, filter.block)";
    if (ours && ours->page) {
        if (!policy_.filter.blocks(queued.name) && held_back(queued, why)) return;
        removed_ = true;
        log_.info(fmt::format("project_removed name={} cause={}", queued.name.text(), quoted(why)));
    }
    state_.drop_project(queued.name);
    state_.settle(queued.name, queued.serial);
}

}  // namespace pep381d
