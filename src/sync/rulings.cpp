#include "pep381d/sync/rulings.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/net/retry.h"
#include "pep381d/plan/removal.h"
#include "pep381d/sync/intake.h"
#include "pep381d/sync/knowledge.h"

#include "sync/stale_page.h"

namespace pep381d {

namespace {

// What the guard holds back is looked at again after this long.
constexpr std::chrono::minutes held_pause{10};

constexpr const char* unwanted_now =
    "the configuration no longer wants it (filter.projects, filter.block)";

// What the verdict rests on, for whoever asks years later.
std::string evidence_text(const Queued& queued, bool page_gone, const std::string& what,
                          const std::string& list) {
    std::string text;
    if (queued.last_loss == Loss::project)
        text = fmt::format("the master's journal removed it (serial {}){}", queued.serial.value,
                           page_gone ? "" : ", and " + list);
    else
        text = fmt::format("no page at {} looks since {}, and {}", queued.gone_looks,
                           format_iso(queued.gone_since.value_or(Time{})), list);
    return text + "; " + what + (queued.allowed ? "; `allow-deletions` confirmed it" : "");
}

// Why files have left a page.
std::string loss_text(const std::optional<Queued>& queued) {
    if (queued && queued->loss == Loss::quarantine)
        return fmt::format("the master's journal quarantined a release (serial {})",
                           queued->serial.value);
    if (queued && queued->loss != Loss::nothing)
        return fmt::format("the master's journal tells of a removal (serial {})",
                           queued->serial.value);
    if (queued && queued->loss_seen)
        return fmt::format("the master's page has lacked them since {}, without an event",
                           format_iso(*queued->loss_seen));
    return "the master's page names other files of the same names";
}

}  // namespace

void Rulings::note(RemovalKind kind, const ProjectName& name, Serial serial, std::string cause,
                   std::vector<std::string> files) {
    log_.info(fmt::format("removal_recorded kind={} project={} files={} serial={} cause={}",
                          name_of(kind), name.text(), files.size(), serial.value, quoted(cause)));
    state_.record_removal(
        {clock_.now(), kind, name.text(), serial, std::move(cause), std::move(files)});
}

// What a page that replaces ours takes away, or brings back.
void Rulings::note_replaced(const PageReady& page, const Replaced& replaced,
                            const std::optional<Queued>& queued) {
    if (!replaced.page) return;
    const ProjectName& name = page.page.name;
    const bool event = queued && queued->serial.value > 0;
    const Serial serial = event ? queued->serial : page.page.serial;
    const bool quarantined = page.page.quarantined();
    if (quarantined && replaced.listed) {
        note(RemovalKind::quarantined, name, serial,
             fmt::format(
                 "the master's page marks it as quarantined: {}",
                 page.page.status.reason.empty() ? "no reason given" : page.page.status.reason),
             replaced.files);
        return;
    }
    if (!quarantined && !replaced.listed)
        note(RemovalKind::cleared, name, serial, "the master's page no longer marks it", {});
    if (replaced.files.empty()) return;
    if (!page.read)
        note(RemovalKind::damaged, name, {}, "found damaged here; fetched again", replaced.files);
    else if (!policy_.page.files)
        note(RemovalKind::unwanted, name, {}, "files.enabled = false", replaced.files);
    else
        note(RemovalKind::files, name, serial, loss_text(queued), replaced.files);
}

void Rulings::postpone(const Queued& queued, const Failure& failure) {
    const auto pause = retry_pause(queued.attempts + 1, failure.wait, policy_.random());
    state_.postpone(queued.name, clock_.now() + pause, clock_.now(), failure);
    log_.debug(fmt::format("project_postponed name={} attempts={} cause={}", queued.name.text(),
                           queued.attempts + 1, quoted(failure.what)));
}

void Rulings::page_recorded(const PageReady& page, const Replaced& replaced) {
    const ProjectName& name = page.page.name;
    if (page.read) state_.clear_skipped(name);
    for (const Refused& item : page.refused) {
        state_.skip(name.text(), item.file, item.cause);
        log_.warning(fmt::format("file_skipped project={} file={} cause={}", name.text(),
                                 quoted(item.file), quoted(item.cause)));
    }
    if (page.page.quarantined()) removed_ = true;
    const auto queued = state_.queued(name);
    note_replaced(page, replaced, queued);
    if (!queued) return;
    // A list may have come since it was handed out.
    if (queued->display != page.display) state_.rename(name, queued->display);
    // A repair has not asked the master.
    if (page.handled.value >= 0) state_.note_there(name);
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
    const auto queued = state_.queued(failed.project);
    if (!queued) return;
    // An answer that says nothing contradicts the journal's removal no more than a stale page does.
    if (queued->last_loss == Loss::project)
        contradicts_removal(*queued, failed.failure);
    else
        postpone(*queued, failed.failure);
}

void Rulings::page_gone(const PageGone& gone) {
    state_.note_gone(gone.project, clock_.now());
    const auto queued = state_.queued(gone.project);
    if (!queued) return;
    const auto ours = state_.published(gone.project);
    if (ours && ours->page) {
        state_.note_candidate(gone.project, true);
        judge(*queued, true, {Fault::gone, gone.what});
    } else {
        unknown_gone(*queued, gone.what);
    }
}

void Rulings::page_stale(const PageStale& stale) {
    const auto queued = state_.queued(stale.project);
    if (!queued) return;
    const bool ours = numbers_ours(state_);
    const std::string what = ours ? page_of_removed(policy_, stale.project)
                                  : stale_page(policy_, stale.project, stale.shown, queued->serial);
    state_.note_there(stale.project);
    state_.note_stale(stale.project, clock_.now());
    if (queued->last_loss == Loss::project)
        contradicts_removal(*queued, {Fault::corrupt, what});
    else
        postpone(*queued, {Fault::corrupt, what});
}

// The journal has removed it, and its page does not say so.
void Rulings::contradicts_removal(const Queued& queued, const Failure& failure) {
    const auto ours = state_.published(queued.name);
    if (ours && ours->page) {
        judge(queued, false, failure);
    } else if ((numbers_ours(state_) || is_of_before(queued.name)) && !listed_out(queued)) {
        wants_list_ = true;
        postpone(queued, failure);
    } else {
        unknown_gone(queued, failure.what);
    }
}

// A list that is at least as new as the newest event lacks it.
bool Rulings::listed_out(const Queued& queued) {
    return queued.absent && state_.number(Note::list_serial).value_or(0) >= queued.serial.value;
}

// A page lies in the tree that is of a state that was lost.
bool Rulings::is_of_before(const ProjectName& name) {
    return state_.number(Note::older_tree) && has_page(tree_, name);
}

void Rulings::page_loses(const PageLoses& loses) {
    const auto queued = state_.queued(loses.project);
    // An event that came while the page was read explains it: it is read again at once.
    if (!queued || queued->loss != Loss::nothing) return;
    const Time now = clock_.now();
    state_.note_there(loses.project);
    state_.note_unexplained_loss(loses.project, now);
    const std::string what = fmt::format(
        "{}/simple/{}/: files have left the page without an event that explains it; "
        "ours stays until a second look",
        policy_.master_shown, loses.project.text());
    state_.postpone(loses.project, now + second_look, now, {Fault::corrupt, what});
    log_.warning(
        fmt::format("page_loses_files name={} cause={}", loses.project.text(), quoted(what)));
}

void Rulings::judge(const Queued& queued, bool page_gone, const Failure& failure) {
    GoneEvidence evidence;
    evidence.page_gone = page_gone;
    evidence.last_loss = queued.last_loss;
    evidence.listed_out = listed_out(queued);
    evidence.looks = queued.attempts + 1;
    evidence.gone_looks = queued.gone_looks;
    evidence.gone_since = queued.gone_since;
    evidence.absent = queued.absent;
    evidence.now = clock_.now();
    switch (judge_gone(evidence)) {
        case Verdict::gone:
            drop(queued,
                 evidence_text(queued, page_gone, failure.what,
                               queued.absent
                                   ? fmt::format("the master's list of names of {} lacks it",
                                                 format_iso(*queued.absent))
                                   : ""));
            return;
        case Verdict::ask_list:
            wants_list_ = true;
            break;
        case Verdict::wait:
            break;
    }
    postpone(queued, failure);
}

// Nothing of it is published: there is nothing to lose, only a place in the queue.
void Rulings::unknown_gone(const Queued& queued, const std::string& what) {
    const bool asked_for = std::find(named_.begin(), named_.end(), queued.name) != named_.end();
    const bool long_gone = queued.gone_looks >= 3 && queued.gone_since &&
                           clock_.now() - *queued.gone_since > std::chrono::hours(1);
    if (asked_for) not_at_master_.push_back(queued.name.text());
    if (is_of_before(queued.name)) {
        wants_list_ = wants_list_ || (long_gone && !listed_out(queued));
        gone_of_before(queued, what, asked_for);
        return;
    }
    if (!long_gone && !asked_for && queued.last_loss != Loss::project) {
        postpone(queued, {Fault::gone, what});
        return;
    }
    // Also rows of files that came before their page. Those of a state that was lost are not ours
    // yet.
    if (state_.number(Note::older_tree))
        state_.forget_intended(queued.name);
    else
        state_.drop_project(queued.name);
    state_.settle(queued.name, queued.serial);
}

// It goes where the journal says so; where the list says so, it leaves the root index and becomes a
// stray.
void Rulings::gone_of_before(const Queued& queued, const std::string& what, bool asked_for) {
    const bool told = queued.last_loss == Loss::project;
    const bool goes = told || listed_out(queued);
    const bool listed = queued.serial.value > 0;
    if (!goes && (!asked_for || listed)) {
        postpone(queued, {Fault::gone, what});
        return;
    }
    if (goes && !policy_.keep_deleted) {
        if (held_back(queued, what)) return;
        if (told)
            note(RemovalKind::removed, queued.name, queued.serial,
                 evidence_text(queued, true, what, ""), state_.drop_project(queued.name));
    }
    state_.forget_intended(queued.name);
    state_.settle(queued.name, queued.serial);
}

bool Rulings::held_back(const Queued& queued, const std::string& why) {
    const auto candidates = state_.deletion_candidates();
    // Of a state that was lost, most wait to be read again.
    const auto projects = state_.totals().projects +
                          (state_.number(Note::older_tree) ? state_.pending() : std::int64_t{0});
    if (queued.allowed || !too_many_deletions(candidates, projects, policy_.max_deleted_fraction))
        return false;
    const Time now = clock_.now();
    const std::string what = fmt::format(
        "{}; held back: {} of {} projects are to go, more than deletes.max-fraction; "
        "`pep381d allow-deletions` confirms it",
        why, candidates, projects);
    state_.hold(queued.name, now + held_pause, now, what);
    log_.warning(fmt::format("deletion_held name={} cause={}", queued.name.text(), quoted(what)));
    return true;
}

void Rulings::drop(const Queued& queued, const std::string& why) {
    if (policy_.keep_deleted) {
        state_.drop_intended(queued.name);
        note(RemovalKind::kept, queued.name, queued.serial, why, {});
    } else {
        if (held_back(queued, why)) return;
        note(RemovalKind::removed, queued.name, queued.serial, why,
             state_.drop_project(queued.name));
        removed_ = true;
    }
    state_.settle(queued.name, queued.serial);
}

void Rulings::unwanted(const Queued& queued) {
    const auto ours = state_.published(queued.name);
    const bool ordered = policy_.filter.blocks_by_name(queued.name);
    const bool shown = (ours && ours->page) || is_of_before(queued.name);
    // The guard is for mistakes. A name that is written out is none, a pattern may be.
    if (shown && !ordered && held_back(queued, unwanted_now)) return;
    auto files = state_.drop_project(queued.name);
    if (shown || !files.empty()) {
        note(ordered ? RemovalKind::blocked : RemovalKind::unwanted, queued.name, {},
             ordered ? "filter.block names it" : unwanted_now, std::move(files));
        removed_ = true;
    }
    state_.settle(queued.name, queued.serial);
}

}  // namespace pep381d
