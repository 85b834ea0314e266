#include "pep381d/sync/jobs.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pep381d/master/page_html.h"
#include "pep381d/master/page_json.h"
#include "pep381d/master/protocol.h"

#include "sync/job.h"
#include "sync/stale_page.h"

namespace pep381d {

namespace {

// The largest page of PyPI has some 20 MB.
constexpr std::int64_t page_most = 48LL << 20;
// A page is a long one from so much text on, or so many files in it or in what we have of it. So
// many files have about that much text on PyPI.
constexpr std::int64_t short_text = 512LL << 10;
constexpr std::size_t short_list = 1000;

constexpr std::size_t jobs_most = 128;
constexpr std::size_t files_listed_most = 10'000;
// Those beyond wait for the pause that each of them has.
constexpr std::size_t turned_away_most = 1000;

// By its last part, `.../simple/NAME/`, in whatever spelling.
bool is_page_of(std::string_view url, const ProjectName& name) {
    if (url.ends_with('/')) url.remove_suffix(1);
    const auto last = ProjectName::parse(url.substr(url.rfind('/') + 1));
    return last && *last == name;
}

}  // namespace

Jobs::Jobs(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock,
           Log& log, bool recovering, Send send)
    : transport_(transport),
      staging_(staging),
      policy_(policy),
      clock_(clock),
      send_(std::move(send)),
      downloads_(transport, staging, policy, clock, log, recovering),
      master_(policy.master_requests) {}

// The transport outlives us, and what it still runs calls back.
Jobs::~Jobs() {
    abandon();
}

bool Jobs::hungry() const {
    return jobs_.size() < jobs_most && files_listed_ < files_listed_most &&
           new_.size() < static_cast<std::size_t>(policy_.master_requests);
}

bool Jobs::waiting() const {
    return !jobs_.empty() && pages_.running() + files_.running() == 0;
}

void Jobs::add(WorkItem item) {
    const std::uint64_t id = next_id_++;
    Job& job = *jobs_.emplace(id, std::make_unique<Job>(id, std::move(item))).first->second;
    if (!has_room(job) && !job.may_be_taken_down())
        turn_away(job);
    else
        new_.push_back(id);
}

std::optional<Steady> Jobs::pump() {
    let_in_again();
    const auto files = start_files();
    if (downloads_.pump()) return clock_.steady();
    const auto pages = start_pages();
    return files && pages ? std::min(files, pages) : files ? files : pages;
}

// When the master may be asked again, where it wants a pause.
std::optional<Steady> Jobs::start_pages() {
    const Steady now = clock_.steady();
    while (!new_.empty() && pages_.taken(now, policy_.master_requests) < policy_.master_requests) {
        const auto next = master_.next();
        if (!next) break;
        if (now < *next) return next;
        Job& job = *jobs_.at(new_.front());
        new_.pop_front();
        if (job.step == Job::Step::signature)
            start_signature(job);
        else
            start_page(job);
    }
    return std::nullopt;
}

std::optional<Steady> Jobs::silent_since() const {
    const Steady now = clock_.steady();
    if (pages_.running() + files_.running() == 0) return std::nullopt;
    if (!pages_.all_hang(now) || !files_.all_hang(now)) return std::nullopt;
    if (pages_.running() == 0) return files_.newest();
    if (files_.running() == 0) return pages_.newest();
    return std::max(pages_.newest(), files_.newest());
}

void Jobs::fail_all(const std::string& why) {
    const bool hashing = downloads_.hashing();
    transport_.cancel_all();
    downloads_.abandon();
    std::vector<std::uint64_t> under_way;
    for (const auto& [id, job] : jobs_)
        if (job->asked) under_way.push_back(id);
    for (const std::uint64_t id : under_way) {
        Job& job = *jobs_.at(id);
        const ProjectName name = job.item.queued.name;
        if (!job.read) {
            end(job, PageFailed{name,
                                {Fault::retry_later,
                                 fmt::format("GET {}/simple/{}/: {}", policy_.master_shown,
                                             name.text(), why)}});
            continue;
        }
        give_up_files(job, why);
        job.files_left = hashing || job.next_fetch < job.plan.fetches.size();
        complete(job);
    }
    abandon();
}

void Jobs::give_up_files(Job& job, const std::string& why) {
    // What a host said to which they leave a pause is the cause then.
    const bool paused = waiting();
    for (const Fetch& fetch : job.plan.fetches) {
        const File& file = job.plan.page.files[fetch.file];
        if ((fetch.metadata ? file.metadata_held : file.held) || job.files_missing) continue;
        const std::string& said = host_of(file).pause_cause();
        job.failure = Failure{
            Fault::retry_later,
            paused && !said.empty() ? said : fmt::format("GET {}: {}", display_url(file.url), why)};
        job.files_missing = true;
    }
}

void Jobs::abandon() {
    transport_.cancel_all();
    jobs_.clear();
    new_.clear();
    ready_.clear();
    downloads_.abandon();
    master_.abandon();
    hosts_.clear();
    pages_.clear();
    files_.clear();
    turned_away_.clear();
    files_listed_ = 0;
}

void Jobs::start_page(Job& job) {
    job.refused.clear();
    job.failure.reset();
    job.stale = false;
    Request request;
    request.peer = Peer::master;
    request.url = policy_.master +
                  page_path(job.item.protocol, job.item.queued.name, job.item.queued.display);
    request.accept = page_types(job.item.protocol, policy_.copy);
    // In that era a redirect leads to a project of a similar name (protocol A.3).
    request.redirect_is_gone = job.item.protocol == Protocol::pep381 && !job.may_be_misspelt();
    // A signature tells a stale page, where there is a page, and a copy may show no serial that
    // does; but where all are looked at, no page is expected to be another. And the news may be in
    // a file without a digest, of which the page says nothing.
    const bool read_anyway = (policy_.copy && !job.item.queued.of_list) ||
                             (job.item.known && asks_for_etags(*job.item.known));
    if (!job.has_news() || !read_anyway) request.etag = job.item.etag;
    // The master's caches keep an entry for each encoding: where one is stale the other may not be
    // (protocol C.4).
    request.encoding =
        (job.item.queued.attempts + job.bad_pairs) % 2 == 0 ? Encoding::gzip : Encoding::identity;
    request.most_bytes = page_most;
    request.deadline = deadline_for(4LL << 20, policy_.timeout, 0);
    job.asked = true;
    job.slot = pages_.start(clock_.steady());
    master_.started();

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
    pages_.heard(job.slot, clock_.steady());
    job.body.clear();
    if (job.item.protocol == Protocol::pep381 && reply.redirected &&
        !is_page_of(reply.url, job.item.queued.name))
        return Failure{Fault::gone,
                       fmt::format("GET {}: a redirect to another name", display_url(reply.url))};
    if (reply.status == 304) return Nothing{};
    if (const auto format = page_format(job.item.protocol, reply.content_type, policy_.copy)) {
        job.format = *format;
        return Nothing{};
    }
    return Failure{
        Fault::corrupt,
        fmt::format("GET {}: it answers with {} instead of {}; is it a simple index (PEP 691)?",
                    display_url(reply.url),
                    reply.content_type.empty() ? "no type" : quoted(reply.content_type),
                    page_types(job.item.protocol, policy_.copy))};
}

Done Jobs::page_body(Job& job, std::string_view piece) {
    pages_.heard(job.slot, clock_.steady());
    job.body += piece;
    // What may have to be taken down waits for no other: the answer is short.
    const bool takes_down = job.may_be_taken_down() && std::ssize(job.body) <= short_text;
    if (has_room(job) || takes_down) return Nothing{};
    job.no_room = true;
    return Failure{Fault::retry_later, {}};  // it is told when the transfer has ended
}

void Jobs::page_ended(std::uint64_t id, const Outcome<Reply>& reply) {
    Job& job = *jobs_.at(id);
    if (!page_answered(job, reply)) {
        if (job.no_room) {
            turn_away(job);
            return;
        }
        const ProjectName name = job.item.queued.name;
        if (reply.failure().fault == Fault::gone)
            end(job, PageGone{name, reply.failure().what});
        else
            end(job, PageFailed{name, reply.failure()});
        return;
    }
    if (reply.value().status == 304) {
        not_modified(job);
        return;
    }
    read_page(job, reply.value());
}

// False: it failed. Whatever it was, it says how the master is.
bool Jobs::page_answered(Job& job, const Outcome<Reply>& reply) {
    pages_.end(job.slot);
    master_.ended();
    if (!reply && reply.failure().fault == Fault::retry_later && !job.no_room)
        master_.failed(job.item.queued.name.text(), reply.failure(), clock_.steady());
    else
        master_.answered();
    return reply.ok();
}

// What a job holds of a long page is counted.
bool Jobs::has_room(Job& job) {
    const std::size_t known = job.item.known ? job.item.known->files.size() : 0;
    const std::size_t listed = job.plan.page.files.size();
    const auto text = std::max<std::int64_t>(job.text, std::ssize(job.body));
    if (!job.share && text <= short_text && known + listed <= short_list) return true;
    if (!job.share) job.share = long_pages_.add();
    // The texts of a file take about as much as the rest of it.
    return job.share->take(text + static_cast<std::int64_t>((2 * known + listed) * sizeof(File)));
}

void Jobs::turn_away(Job& job) {
    const ProjectName name = job.item.queued.name;
    if (turned_away_.size() < turned_away_most) turned_away_.insert(name);
    end(job, PageFailed{name,
                        {Fault::retry_later,
                         fmt::format("GET {}/simple/{}/: too many large pages at a time",
                                     policy_.master_shown, name.text())}});
}

void Jobs::let_in_again() {
    if (turned_away_.empty() || !long_pages_.none()) return;
    send_(Retry{{turned_away_.begin(), turned_away_.end()}});
    turned_away_.clear();
}

void Jobs::not_modified(Job& job) {
    const Queued& queued = job.item.queued;
    if (job.behind_journal(job.shown()) &&
        !job.stale_for_good(clock_.now(), job.shows_quarantine())) {
        end(job, PageStale{queued.name, job.shown()});
        return;
    }
    PageReady ready{{queued.name, job.shown(), {}, {}, {}, {}}};
    ready.display = queued.display;
    ready.numbered = job.item.numbered;
    ready.handled = job.handled(job.shown());
    ready.same = true;
    ready.read = false;
    ready.key_generation = job.item.key.generation;
    end(job, std::move(ready));
}

void Jobs::read_page(Job& job, const Reply& reply) {
    auto read = job.format == PageFormat::json
                    ? read_page_json(job.body, reply.url, job.item.queued.name)
                    : read_page_html(job.body, reply.url, job.item.queued.name);
    job.text = std::ssize(job.body);
    if (!policy_.copy) job.body = {};
    if (!read) {
        end(job, PageFailed{job.item.queued.name, std::move(read).failure()});
        return;
    }
    ReadPage fresh = std::move(read).value();
    if (fresh.page.serial.value == 0 && reply.last_serial) fresh.page.serial = *reply.last_serial;
    // What another mirror copied of a master without serials: nobody can tell how old it is.
    if (policy_.copy && fresh.page.serial.value == 0)
        fresh.page.serial = std::max(job.item.queued.serial, job.shown());
    // Ours: that of what made us look, where that shows something new.
    if (!job.item.numbered) fresh.page.serial = job.shown();
    for (Skipped& item : fresh.skipped) job.refused.push_back({item.name, item.cause});
    job.etag = reply.etag;
    job.https = reply.url.starts_with("https:");
    job.plan = plan_page(std::move(fresh.page), job.item.known ? &*job.item.known : nullptr,
                         policy_.page, job.item.in_doubt);
    // One whose text has found room stays: those that are on their way yet give it to them.
    const bool counted = job.share != nullptr;
    if (!has_room(job) && !counted) {
        turn_away(job);
        return;
    }
    const bool other_copy = policy_.copy && !take_copy(job);
    if (other_copy || job.is_to_be_shown_anew() || !job.plan.same) changed(job);
    for (Refused& file : job.plan.refused) job.refused.push_back(std::move(file));

    if (older_than_wanted(job)) return;
    if (job.loses_unexplained(clock_.now())) {
        end(job, PageLoses{job.item.queued.name});
        return;
    }
    if (policy_.copy)
        prove_copy(job);
    else
        fetch_files(job);
}

void Jobs::changed(Job& job) {
    job.plan.same = false;
    if (job.item.numbered) return;
    const Serial event = job.item.queued.serial;
    // What an earlier try has left in the tree may have the event's, and shows something else.
    const bool tried = job.item.ahead || job.item.queued.attempts > 0;
    const bool unused = event > job.shown() && !tried;
    job.plan.page.serial = unused ? event : job.item.fresh;
}

void Jobs::fetch_files(Job& job) {
    job.read = true;
    if (!job.share) files_listed_ += job.plan.page.files.size();
    job.fetches_left = job.plan.fetches.size();
    if (job.fetches_left == 0) {
        complete(job);
        return;
    }
    ready_.push_back(job.id);
    if (!room_) no_room_for(job);
}

// A page that is older than the journal: published where it is newer than ours, and asked for
// again.
bool Jobs::older_than_wanted(Job& job) {
    const Queued& queued = job.item.queued;
    const Serial page = job.plan.page.serial;
    if (!job.behind_journal(page) && page >= job.shown()) return false;
    if (page >= job.shown() && job.stale_for_good(clock_.now(), job.plan.page.quarantined()))
        return false;
    if (page > job.shown() && queued.last_loss != Loss::project) {
        job.stale = true;
        job.failure =
            Failure{Fault::corrupt, stale_page(policy_, queued.name, page, queued.serial)};
        return false;
    }
    end(job, PageStale{queued.name, page});
    return true;
}

void Jobs::end(Job& job, Message message) {
    const std::uint64_t id = job.id;
    if (auto* failed = std::get_if<PageFailed>(&message))
        failed->key_generation = job.item.key.generation;
    jobs_.erase(id);
    send_(std::move(message));
}

}  // namespace pep381d
