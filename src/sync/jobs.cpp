#include "pep381d/sync/jobs.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "pep381d/master/page_json.h"

#include "sync/stale_page.h"

namespace pep381d {

namespace {

constexpr const char* json_type = "application/vnd.pypi.simple.v1+json";

// The largest page of PyPI has some 20 MB.
constexpr std::int64_t page_most = 48LL << 20;
// What the pages that are on their way may hold of memory together.
constexpr std::int64_t bodies_most = 64LL << 20;

constexpr std::size_t jobs_most = 128;
constexpr std::size_t files_listed_most = 10'000;

// What a kill leaves placed but not recorded is hashed by the next run. Of a project of few and
// small files that is less work than to record each by itself, and its page again.
constexpr std::size_t many_files = 256;
constexpr std::int64_t large_file = 1024 * 1024;

// Up to so many files the loop makes the text of the page, since the committer has more to do; that
// of longer pages would wait for its turn in too much memory.
constexpr std::size_t short_page = 1000;

// A page that stays behind its journal for this long is taken for what it is (protocol B.6).
constexpr std::chrono::hours stale_page_believed{1};

// So many failures in a row are the master's, not a project's.
constexpr int master_failures_most = 3;

}  // namespace

struct Jobs::Job {
    Job(std::uint64_t number, WorkItem work) : id(number), item(std::move(work)) {}

    std::uint64_t id;
    WorkItem item;
    std::string body;
    PagePlan plan{{item.queued.name, {}, {}, {}, {}, {}}, {}, {}, false, false};
    std::string etag;
    bool https = false;
    std::size_t next_fetch = 0;
    std::size_t fetches_left = 0;
    std::vector<Refused> refused;
    std::optional<Failure> failure;  // the first of its files', or the page's staleness
    bool files_missing = false;
    bool stale = false;

    // Its page has been older than the journal for so long that it will not change (protocol B.6).
    bool stale_for_good(Time now) const {
        return item.queued.stale_since && now - *item.queued.stale_since >= stale_page_believed &&
               item.queued.last_loss != Loss::project;
    }
    Serial shown() const { return item.known ? item.known->serial : Serial{}; }
};

Jobs::Jobs(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock,
           Log& log, bool recovering, Send send)
    : transport_(transport),
      policy_(policy),
      clock_(clock),
      send_(std::move(send)),
      downloads_(transport, staging, policy, clock, log, recovering) {}

// The transport outlives us, and what it still runs calls back.
Jobs::~Jobs() {
    abandon();
}

bool Jobs::hungry() const {
    return jobs_.size() < jobs_most && files_listed_ < files_listed_most &&
           new_.size() < static_cast<std::size_t>(policy_.master_requests);
}

bool Jobs::waiting() const {
    return !jobs_.empty() && pages_running_ + downloads_.running() == 0;
}

void Jobs::add(WorkItem item) {
    const std::uint64_t id = next_id_++;
    jobs_.emplace(id, std::make_unique<Job>(id, std::move(item)));
    new_.push_back(id);
}

std::optional<Steady> Jobs::pump(bool room) {
    while (room && !ready_.empty() && downloads_.running() < policy_.file_requests) {
        Job& job = *jobs_.at(ready_.front());
        ready_.pop_front();
        const Fetch fetch = job.plan.fetches[job.next_fetch++];
        if (job.next_fetch < job.plan.fetches.size()) ready_.push_back(job.id);
        start_file(job, fetch);
    }
    const bool hashed = downloads_.pump();
    const Steady now = clock_.steady();
    while (room && !new_.empty() && pages_running_ < policy_.master_requests) {
        if (now < master_pause_) return hashed ? now : master_pause_;
        Job& job = *jobs_.at(new_.front());
        new_.pop_front();
        start_page(job);
    }
    return hashed ? std::optional(now) : std::nullopt;
}

void Jobs::abandon() {
    transport_.cancel_all();
    jobs_.clear();
    new_.clear();
    ready_.clear();
    downloads_.abandon();
    pages_running_ = 0;
    bodies_ = 0;
    files_listed_ = 0;
}

void Jobs::start_page(Job& job) {
    Request request;
    request.peer = Peer::master;
    request.url = policy_.master + "/simple/" + job.item.queued.name.text() + "/";
    request.accept = json_type;
    request.etag = job.item.etag;
    // The master's caches keep an entry for each encoding: where one is stale the other may not be
    // (protocol C.4).
    request.encoding = job.item.queued.attempts % 2 == 0 ? Encoding::gzip : Encoding::identity;
    request.most_bytes = page_most;
    request.deadline = deadline_for(4LL << 20, policy_.timeout, 0);
    ++pages_running_;

    Receiver receiver;
    const std::uint64_t id = job.id;
    receiver.on_head = [this, id](const Reply& reply) { return page_head(*jobs_.at(id), reply); };
    receiver.on_body = [this, id](std::string_view piece) {
        return page_body(*jobs_.at(id), piece);
    };
    receiver.on_end = [this, id](const Outcome<Reply>& reply) { page_ended(id, reply); };
    transport_.start(std::move(request), std::move(receiver));
}

Done Jobs::page_head(Job& job, const Reply& reply) {
    job.body.clear();
    if (reply.status == 304 || reply.content_type.starts_with(json_type)) return Nothing{};
    return Failure{
        Fault::corrupt,
        fmt::format("GET {}: it answers with {} instead of {}; is it a simple index (PEP 691)?",
                    display_url(reply.url),
                    reply.content_type.empty() ? "no type" : quoted(reply.content_type),
                    json_type)};
}

Done Jobs::page_body(Job& job, std::string_view piece) {
    bodies_ += static_cast<std::int64_t>(piece.size());
    job.body += piece;
    if (bodies_ <= bodies_most) return Nothing{};
    return Failure{Fault::retry_later,
                   fmt::format("GET {}/simple/{}/: too many large pages at a time",
                               policy_.master_shown, job.item.queued.name.text())};
}

void Jobs::note_master(bool answered, std::chrono::seconds wait) {
    if (answered) {
        master_failures_ = 0;
        return;
    }
    if (++master_failures_ < master_failures_most && wait.count() == 0) return;
    const int doublings = std::clamp(master_failures_ - master_failures_most, 0, 6);
    const auto pause = std::max(std::chrono::seconds(1LL << doublings),
                                std::min(wait, std::chrono::seconds(3600)));
    master_pause_ = std::max(master_pause_, clock_.steady() + pause);
}

void Jobs::page_ended(std::uint64_t id, const Outcome<Reply>& reply) {
    --pages_running_;
    Job& job = *jobs_.at(id);
    bodies_ -= static_cast<std::int64_t>(job.body.size());
    const ProjectName name = job.item.queued.name;
    if (!reply) {
        const Failure& failure = reply.failure();
        note_master(failure.fault != Fault::retry_later, failure.wait);
        if (failure.fault == Fault::gone)
            end(job, PageGone{name, failure.what});
        else
            end(job, PageFailed{name, failure});
        return;
    }
    note_master(true, {});
    if (reply.value().status == 304) {
        not_modified(job);
        return;
    }
    read_page(job, reply.value());
}

void Jobs::not_modified(Job& job) {
    const Queued& queued = job.item.queued;
    if (job.shown() < queued.serial && !job.stale_for_good(clock_.now())) {
        end(job, PageStale{queued.name, job.shown()});
        return;
    }
    PageReady ready{{queued.name, job.shown(), {}, {}, {}, {}}};
    ready.display = queued.display;
    ready.handled = std::max(job.shown(), queued.serial);
    ready.same = true;
    ready.read = false;
    end(job, std::move(ready));
}

void Jobs::read_page(Job& job, const Reply& reply) {
    auto read = read_page_json(job.body, reply.url, job.item.queued.name);
    job.body = {};
    if (!read) {
        end(job, PageFailed{job.item.queued.name, std::move(read).failure()});
        return;
    }
    ReadPage fresh = std::move(read).value();
    if (fresh.page.serial.value == 0 && reply.last_serial) fresh.page.serial = *reply.last_serial;
    for (Skipped& item : fresh.skipped) job.refused.push_back({item.name, item.cause});
    job.etag = reply.etag;
    job.https = reply.url.starts_with("https:");
    job.plan =
        plan_page(std::move(fresh.page), job.item.known ? &*job.item.known : nullptr, policy_.page);
    for (Refused& file : job.plan.refused) job.refused.push_back(std::move(file));

    if (older_than_wanted(job)) return;
    const Queued& queued = job.item.queued;
    const bool explained = queued.loss != Loss::nothing || job.plan.page.quarantined() ||
                           (queued.loss_seen && clock_.now() - *queued.loss_seen >= second_look);
    if (job.plan.loses && job.item.shown && !explained) {
        end(job, PageLoses{queued.name});
        return;
    }
    files_listed_ += job.plan.page.files.size();
    job.fetches_left = job.plan.fetches.size();
    if (job.fetches_left == 0)
        complete(job);
    else
        ready_.push_back(job.id);
}

// A page that is older than the journal: published where it is newer than ours, and asked for
// again.
bool Jobs::older_than_wanted(Job& job) {
    const Queued& queued = job.item.queued;
    const Serial page = job.plan.page.serial;
    if (page >= queued.serial && page >= job.shown()) return false;
    if (job.stale_for_good(clock_.now()) && page >= job.shown()) return false;
    if (page > job.shown() && queued.last_loss != Loss::project) {
        job.stale = true;
        job.failure =
            Failure{Fault::corrupt, stale_page(policy_, queued.name, page, queued.serial)};
        return false;
    }
    end(job, PageStale{queued.name, page});
    return true;
}

void Jobs::start_file(Job& job, const Fetch& fetch) {
    const auto ended = [this, id = job.id, fetch](const Outcome<std::string>& staged) {
        Job& its = *jobs_.at(id);
        if (staged)
            arrived(its, fetch, staged.value());
        else
            failed(its, staged.failure());
    };
    downloads_.start(job.plan.page.files[fetch.file], fetch.metadata, job.https, ended);
}

void Jobs::arrived(Job& job, const Fetch& fetch, const std::string& staged) {
    File& file = job.plan.page.files[fetch.file];
    (fetch.metadata ? file.metadata_held : file.held) = true;
    const bool early =
        job.plan.fetches.size() >= many_files || file.size.value_or(large_file) >= large_file;
    send_(FileArrived{job.item.queued.name, job.item.queued.display, file, fetch.metadata, staged,
                      early});
    fetch_done(job);
}

void Jobs::failed(Job& job, Failure failure) {
    if (is_local(failure.fault)) give_up(failure);
    if (!job.files_missing) job.failure = std::move(failure);
    job.files_missing = true;
    fetch_done(job);
}

void Jobs::fetch_done(Job& job) {
    if (--job.fetches_left == 0) complete(job);
}

void Jobs::complete(Job& job) {
    ProjectPage& page = job.plan.page;
    files_listed_ -= page.files.size();
    const Serial handled = std::max(page.serial, job.item.queued.serial);
    if (policy_.page.files) std::erase_if(page.files, [](const File& file) { return !file.held; });
    PageReady ready{std::move(page)};
    ready.display = job.item.queued.display;
    ready.etag = job.etag;
    ready.handled = handled;
    ready.same = job.plan.same;
    ready.stale = job.stale;
    ready.failure = job.failure;
    ready.refused = std::move(job.refused);
    if (job.failure) {
        // It does not show all that its serial promises; a stale page shows just that.
        if (job.files_missing) ready.page.serial = job.shown();
        ready.etag.clear();
        ready.same = job.item.known && ready.page == *job.item.known;
    }
    if (!ready.same && ready.page.files.size() <= short_page)
        ready.text = page_text(policy_, ready.page);
    end(job, std::move(ready));
}

void Jobs::end(Job& job, Message message) {
    const std::uint64_t id = job.id;
    jobs_.erase(id);
    send_(std::move(message));
}

}  // namespace pep381d
