#include "pep381d/sync/freshness.h"

#include <algorithm>

#include "pep381d/pages/status_page.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

namespace {

// Those that failed, then those that nobody has come to.
std::vector<FailingProject> waiting_projects(State& state, Time now, std::size_t most) {
    std::vector<FailingProject> waiting = state.failing_projects(most);
    for (FailingProject& project : state.unreached_projects(most - waiting.size())) {
        project.next_try = std::max(project.next_try.value_or(now), now);  // it is due
        waiting.push_back(std::move(project));
    }
    return waiting;
}

}  // namespace

Status survey(State& state, const Policy& policy, Time now, std::size_t most_failing) {
    Status status;
    status.version = PEP381D_VERSION;
    status.master = state.text(Note::master).value_or(policy.master_shown);
    const std::string found = state.text(Note::protocol).value_or("");
    status.protocol =
        policy.protocol == Protocol::automatic ? found : std::string(name_of(policy.protocol));
    status.copied = policy.copy;
    status.contact = policy.contact;
    status.filtered = !policy.filter.everything();
    status.as_of = now;
    status.serial = Serial{state.number(Note::cursor).value_or(0)};
    status.last_modified = state.time(Note::last_modified);
    status.last_poll = state.time(Note::last_poll);
    status.last_error = state.text(Note::last_error).value_or("");
    if (policy.copy) status.key_error = state.text(Note::master_key_refused).value_or("");
    status.shortage = state.text(Note::shortage).value_or("");
    status.verified = state.time(Note::verified);
    status.damages = state.number(Note::damages).value_or(0);
    status.newest_damage = state.text(Note::newest_damage).value_or("");
    status.reconciled = state.time(Note::reconciled);
    if (status.reconciled == Time{}) status.reconciled.reset();  // to be done again
    status.reconcile_queued = state.number(Note::reconcile_queued).value_or(0);
    status.reconcile_absent = state.number(Note::reconcile_absent).value_or(0);
    const auto sweep = state.time(Note::sweep_began);
    if (sweep && *sweep <= now) status.sweep_began = sweep;
    status.sweep_asked = state.number(Note::sweep_asked).value_or(0);
    status.sweep_found = state.number(Note::sweep_found).value_or(0);
    status.swept = state.time(Note::swept);
    status.swept_found = state.number(Note::swept_found).value_or(0);
    const Totals totals = state.totals();
    status.projects = totals.projects;
    status.files = totals.files;
    status.bytes = totals.bytes;
    status.pending = state.pending();
    status.failed = state.failing();
    status.failing = waiting_projects(state, now, most_failing);
    status.skipped = state.skipped(most_failing);
    return status;
}

void Freshness::publish(const std::string& path, const std::string& bytes) {
    const std::string staged = layout::staged("outside");
    must(write_file(tree_, staged, bytes));
    must(tree_.flush());
    must(tree_.rename(staged, path));
}

void Freshness::publish_last_modified() {
    State::Change change(state_);
    const auto handled = state_.handled_until(clock_.now());
    const auto before = state_.time(Note::last_modified);
    // A clock that was ahead may have written one that has not come yet.
    const bool ahead = before && *before > clock_.now();
    // A power cut or a hand may have taken the file.
    const bool gone = before && !must(tree_.look(layout::last_modified));
    if (handled && *handled <= clock_.now() && (!before || ahead || gone || *handled > *before)) {
        publish(layout::last_modified, format_basic(*handled) + "\n");
        state_.set(Note::last_modified, *handled);
    }
    change.commit();
}

void Freshness::publish_status() {
    constexpr std::size_t most_failing = 1000;
    const Status status = survey(state_, policy_, clock_.now(), most_failing);
    publish(layout::status_html, status_html(status));
    publish(layout::status_json, status_json(status));
}

}  // namespace pep381d
