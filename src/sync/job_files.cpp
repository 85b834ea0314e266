// The files of a project, once its page is read.
#include <algorithm>

#include <fmt/format.h>

#include "pep381d/sync/publisher.h"

#include "sync/job.h"

namespace pep381d {

namespace {

// What a kill leaves placed but not recorded is hashed by the next run. Of a project of few and
// small files that is less work than to record each by itself, and its page again.
constexpr std::size_t many_files = 256;
constexpr std::int64_t large_file = 1024 * 1024;

// Up to so many files the loop makes the text of the page, since the committer has more to do; that
// of longer pages would wait for its turn in too much memory.
constexpr std::size_t short_page = 1000;

// After so many failures in a row the rest of a project's files waits for its next try.
constexpr int file_failures_most = 3;

// Something does.
bool lies_at(FileTree& tree, const std::string& path) {
    const auto look = tree.look(layout::published(path));
    return !look || look.value();
}

// More hosts of files than this are forgotten: pages may name any.
constexpr std::size_t hosts_most = 1000;

}  // namespace

// Projects take turns. Who has to wait for a host lets the next one by; when the first may go on.
std::optional<Steady> Jobs::start_files() {
    const Steady now = clock_.steady();
    std::optional<Steady> soonest;
    for (std::size_t let_by = 0;
         let_by < ready_.size() &&
         files_.taken(now, policy_.file_requests) < policy_.file_requests;) {
        Job& job = *jobs_.at(ready_.front());
        ready_.pop_front();
        const Fetch fetch = job.plan.fetches[job.next_fetch];
        const auto next = host_of(job.plan.page.files[fetch.file]).next();
        if (!next || now < *next) {
            ready_.push_back(job.id);
            if (next) soonest = std::min(soonest.value_or(*next), *next);
            ++let_by;
            continue;
        }
        let_by = 0;
        if (++job.next_fetch < job.plan.fetches.size()) ready_.push_back(job.id);
        start_file(job, fetch);
    }
    return soonest;
}

Pace& Jobs::host_of(const File& file) {
    const std::string_view url = file.url;
    const auto from = url.find("//");
    const auto host = url.substr(0, url.find('/', from == std::string_view::npos ? 0 : from + 2));
    const auto found = hosts_.find(host);
    if (found != hosts_.end()) return found->second;
    if (hosts_.size() >= hosts_most)
        std::erase_if(hosts_,
                      [now = clock_.steady()](const auto& one) { return one.second.rested(now); });
    return hosts_.emplace(host, policy_.file_requests).first->second;
}

void Jobs::start_file(Job& job, const Fetch& fetch) {
    const File& file = job.plan.page.files[fetch.file];
    const Slots::Id slot = files_.start(clock_.steady());
    Pace& host = host_of(file);
    host.started();
    const auto heard = [this, slot] { files_.heard(slot, clock_.steady()); };
    const auto ended = [this, id = job.id, slot, &host,
                        fetch](Outcome<Downloads::Fetched> fetched) {
        files_.end(slot);
        host.ended();
        Job& its = *jobs_.at(id);
        if (fetched) {
            host.answered();
            arrived(its, fetch, std::move(fetched).value());
            return;
        }
        if (fetched.failure().fault == Fault::retry_later)
            host.failed(its.item.queued.name.text(), fetched.failure(), clock_.steady());
        else
            host.answered();
        failed(its, fetched.failure());
    };
    downloads_.start(file, fetch, job.https, heard, ended);
}

void Jobs::arrived(Job& job, const Fetch& fetch, Downloads::Fetched fetched) {
    File& file = job.plan.page.files[fetch.file];
    (fetch.metadata ? file.metadata_held : file.held) = true;
    job.failed_in_a_row = 0;
    const bool known_by_etag = !fetch.metadata && !file.etag.empty();
    if (known_by_etag && fetched.staged.empty()) {
        fetch_done(job);
        return;
    }
    if (known_by_etag) other_bytes(job, fetch);
    if (!fetch.metadata) file.etag = fetched.etag;
    // Of a lost state nobody knows what lies there, or what the page of before says of it.
    const std::string& path = file.path;
    const bool replaces =
        fetch.lies_there || known_by_etag ||
        (job.item.older_tree && !fetched.found &&
         lies_at(staging_.tree(), fetch.metadata ? layout::metadata(path) : path));
    // A copied page waits for all of them, and may never come.
    const bool early = !replaces && (policy_.copy || job.plan.fetches.size() >= many_files ||
                                     file.size.value_or(large_file) >= large_file);
    FileArrived arrived{
        job.item.queued.name,      job.item.queued.display, file,  fetch.metadata,
        std::move(fetched.staged), fetched.found,           early, std::move(fetched.unwritten)};
    if (replaces)
        keep_for_page(job, std::move(arrived));
    else
        send_(std::move(arrived));
    fetch_done(job);
}

void Jobs::keep_for_page(Job& job, FileArrived file) {
    // There may be very many.
    if (file.unwritten) write_unwritten(staging_.tree(), file);
    job.kept.push_back(std::move(file));
}

// Its page does not come. The next try finds them.
void Jobs::give_back_kept(Job& job) {
    for (const FileArrived& file : job.kept)
        if (!file.staged.empty()) staging_.keep(file.staged);
    job.kept.clear();
}

// Its page may be the one that we show: it is published anew for who mirrors us.
void Jobs::other_bytes(Job& job, const Fetch& fetch) {
    changed(job);
    File& file = job.plan.page.files[fetch.file];
    if (!file.metadata_held || !file.core_metadata.sha256.empty()) return;
    file.metadata_held = false;
    if (job.next_fetch == job.plan.fetches.size()) ready_.push_back(job.id);
    job.plan.fetches.push_back({fetch.file, true, true});
    ++job.fetches_left;
}

void Jobs::failed(Job& job, Failure failure) {
    if (is_local(failure.fault)) give_up(failure);
    const bool host = failure.fault == Fault::retry_later;
    if (!job.files_missing) job.failure = std::move(failure);
    job.files_missing = true;
    job.failed_in_a_row = host ? job.failed_in_a_row + 1 : 0;
    const auto& fetches = job.plan.fetches;
    const bool may_lie_here = job.item.older_tree || (job.next_fetch < fetches.size() &&
                                                      fetches[job.next_fetch].lies_there);
    if (job.failed_in_a_row >= file_failures_most && !may_lie_here) leave_rest(job);
    fetch_done(job);
}

// Of its files.
void Jobs::leave_rest(Job& job) {
    const std::size_t left = job.plan.fetches.size() - job.next_fetch;
    if (left == 0) return;
    job.next_fetch += left;
    job.fetches_left -= left;
    job.files_left = true;
    std::erase(ready_, job.id);
}

void Jobs::note_room(bool room) {
    room_ = room;
    if (room) return;
    const auto waiting = ready_;
    for (const std::uint64_t id : waiting) no_room_for(*jobs_.at(id));
}

// What runs goes on.
void Jobs::no_room_for(Job& job) {
    const File& file = job.plan.page.files[job.plan.fetches[job.next_fetch].file];
    if (!job.files_missing)
        job.failure = Failure{Fault::retry_later, fmt::format("GET {}: there is no room for it yet",
                                                              display_url(file.url))};
    job.files_missing = true;
    leave_rest(job);
    if (job.fetches_left == 0) complete(job);
}

void Jobs::fetch_done(Job& job) {
    if (--job.fetches_left == 0) complete(job);
}

// It does not show all that its serial promises; a stale page shows just that. Where serials are
// ours, whatever differs from what was shown has one of its own.
void Jobs::show_incomplete(const Job& job, PageReady& ready) {
    const Serial changed = ready.page.serial;
    if (job.files_missing) ready.page.serial = job.shown();
    ready.etag.clear();
    ready.same = job.item.known && !job.item.ahead && ready.page == *job.item.known &&
                 ready.kept.empty() && ready.left.size() == job.item.in_doubt.size();
    if (!ready.same && !job.item.numbered) ready.page.serial = changed;
}

void Jobs::complete(Job& job) {
    ProjectPage& page = job.plan.page;
    if (!job.share) files_listed_ -= page.files.size();
    // The master's page names them all (design 3.1); a page of before may name what lies here
    // whole.
    const bool before_all = !job.item.of_before.empty() && job.files_left;
    if (job.files_missing && (policy_.copy || before_all)) {
        give_back_kept(job);
        end(job, PageFailed{page.name, std::move(*job.failure)});
        return;
    }
    auto left = job.left_in_doubt();
    // Whose ETag nobody answered for stays as it is.
    for (File& file : page.files) file.held = file.held || !file.etag.empty();
    const Serial handled = job.handled(page.serial);
    if (policy_.page.files) std::erase_if(page.files, [](const File& file) { return !file.held; });
    PageReady ready{std::move(page)};
    ready.display = job.item.queued.display;
    ready.numbered = job.item.numbered;
    ready.etag = job.etag;
    ready.handled = handled;
    ready.same = job.plan.same;
    ready.left = std::move(left);
    ready.kept = std::move(job.kept);
    ready.at_once = ready.page.quarantined() || job.item.queued.loss == Loss::quarantine;
    ready.stale = job.stale;
    ready.failure = job.failure;
    ready.refused = std::move(job.refused);
    ready.replaces = job.item.shown;
    if (job.failure) show_incomplete(job, ready);
    if (!ready.same && job.copy)
        ready.text = copied_text(policy_, ready.page, std::move(job.body), job.copy->signature);
    else if (!ready.same && ready.page.files.size() <= short_page)
        ready.text = page_text(policy_, ready.page);
    ready.copy = std::move(job.copy);
    ready.key_generation = job.item.key.generation;
    ready.share = std::move(job.share);
    end(job, std::move(ready));
}

}  // namespace pep381d
