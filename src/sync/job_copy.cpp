// Pages as the master sent them (pages.mode = copy): what proves them, before any of their files is
// fetched. A page and its signature are two requests, between which the page may change: a pair
// that does not match is asked for again.
#include <fmt/format.h>

#include "pep381d/base/digest.h"
#include "pep381d/master/page_copy.h"
#include "pep381d/master/protocol.h"

#include "sync/job.h"

namespace pep381d {

namespace {

// A signature has 48 to 72 bytes; this is enough to say what came instead.
constexpr std::int64_t signature_most = 64 << 10;
// It waits in memory for its files. PyPI's largest in HTML has some 10 MB.
constexpr std::size_t copy_most = 16 << 20;
constexpr int pairs_most = 3;  // that do not match

}  // namespace

// True: it is the page that we show.
bool Jobs::take_copy(Job& job) {
    job.copy = CopiedPage{static_cast<std::int64_t>(job.body.size()), sha256(job.body), {}};
    const auto& ours = job.item.copied;
    if (!ours) return job.plan.page.quarantined();  // one of our own making may stand for it
    return ours->size == job.copy->size && ours->sha256 == job.copy->sha256;
}

void Jobs::prove_copy(Job& job) {
    const ProjectPage& page = job.plan.page;
    auto why = job.body.size() > copy_most ? std::optional<std::string>("it is longer than 16 MiB")
                                           : not_copyable(job.body, page);
    if (!why && !job.refused.empty())
        why = fmt::format("its file {} cannot be mirrored: {}", quoted(job.refused[0].file),
                          job.refused[0].cause);
    // Nothing of it may be offered (PEP 792), whatever its own page does: we say so ourselves,
    // where it is the master that says it.
    job.copyable = !why;
    if (why && !page.quarantined()) {
        refuse_copy(job, *why +
                             ". Where the master's pages are like that, set pages.mode = "
                             "regenerate");
        return;
    }
    const KeyKnown& key = job.item.key;
    if (key.unknown) {
        end(job,
            PageFailed{
                page.name,
                {key.unknown->fault == Fault::retry_later ? Fault::retry_later : Fault::corrupt,
                 fmt::format("{}; its pages cannot be verified, nor copied", key.unknown->what)},
                true});
        return;
    }
    // With news the signature is asked for even so: that of another page tells a stale one.
    if (!key.key || (!job.has_news() && keep_signature(job))) {
        copy_proven(job);
        return;
    }
    job.step = Job::Step::signature;
    job.slash = signature_slash_;
    job.other_form = false;
    new_.push_front(job.id);
}

// Masters make another one each time: ours is as good, where it is one of this page. False: it is
// not.
bool Jobs::keep_signature(Job& job) {
    const auto& ours = job.item.copied;
    if (!ours || ours->sha256 != job.copy->sha256 ||
        !job.item.key.key->verifies(job.body, ours->signature))
        return false;
    job.copy->signature = ours->signature;
    return true;
}

void Jobs::copy_proven(Job& job) {
    if (!job.copyable) {
        job.copy.reset();
        job.body = {};
        fetch_files(job);
        return;
    }
    job.plan.same = job.plan.same && job.item.copied == job.copy;
    fetch_files(job);
}

void Jobs::start_signature(Job& job) {
    Request request;
    request.url = policy_.master +
                  signature_path(job.item.protocol, job.item.queued.name, job.item.queued.display) +
                  (job.slash ? "/" : "");
    // Old masters lead from one form to the other, and from another spelling to the page
    // (protocol A.4). No redirect is followed: both forms are asked for.
    request.redirect_is_gone = true;
    request.encoding = Encoding::identity;
    request.most_bytes = signature_most;
    request.deadline = policy_.timeout * 2;
    job.signature.clear();
    job.slot = pages_.start(clock_.steady());
    master_.started();

    Receiver receiver;
    const std::uint64_t id = job.id;
    receiver.on_head = [this, id](const Reply& reply) -> Done {
        jobs_.at(id)->signature_type = reply.content_type;
        return Nothing{};
    };
    receiver.on_body = [this, id](std::string_view piece) -> Done {
        Job& its = *jobs_.at(id);
        pages_.heard(its.slot, clock_.steady());
        its.signature += piece;
        return Nothing{};
    };
    receiver.on_end = [this, id](const Outcome<Reply>& reply) { signature_ended(id, reply); };
    transport_.start(std::move(request), std::move(receiver));
}

void Jobs::signature_ended(std::uint64_t id, const Outcome<Reply>& reply) {
    Job& job = *jobs_.at(id);
    if (!page_answered(job, reply)) {
        const Failure& failure = reply.failure();
        if (failure.fault == Fault::gone && !job.other_form) {
            job.other_form = true;
            job.slash = !job.slash;
            new_.push_front(id);
        } else if (failure.fault == Fault::gone) {
            job.bad_pairs = pairs_most;  // that is no race
            no_signature(job, failure.what + ", and the master has a key");
        } else if (failure.fault == Fault::corrupt) {
            no_signature(job, failure.what);
        } else {
            end(job, PageFailed{job.item.queued.name, failure});
        }
        return;
    }
    signature_slash_ = job.slash;
    const std::string shown = fmt::format("GET {}", display_url(reply.value().url));
    if (!looks_like_signature(KeyKind::dsa, job.signature)) {
        no_signature(
            job, fmt::format("{}: no DSA signature came, but {} bytes of {}", shown,
                             job.signature.size(),
                             job.signature_type.empty() ? "no type" : quoted(job.signature_type)));
    } else if (!job.item.key.key->verifies(job.body, job.signature)) {
        no_signature(job,
                     fmt::format("{}: it is no signature of the page by the master's key", shown));
    } else {
        if (!keep_signature(job)) job.copy->signature = std::move(job.signature);
        copy_proven(job);
    }
}

// Both are asked for again, the page at the master's other cache entry; what is published stays.
void Jobs::no_signature(Job& job, const std::string& cause) {
    if (++job.bad_pairs < pairs_most) {
        job.body = {};
        job.text = 0;
        job.share.reset();
        job.item.etag.clear();
        job.step = Job::Step::page;
        new_.push_front(job.id);
        return;
    }
    end(job,
        PageFailed{
            job.item.queued.name, {Fault::corrupt, cause + "; what is published stays"}, true});
}

void Jobs::refuse_copy(Job& job, std::string cause) {
    const ProjectName name = job.item.queued.name;
    end(job, PageFailed{name,
                        {Fault::corrupt, fmt::format("{}/simple/{}/: the page cannot be copied: {}",
                                                     policy_.master_shown, name.text(), cause)}});
}

}  // namespace pep381d
