#include "pep381d/sync/downloads.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/master/page_link.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

constexpr std::int64_t metadata_most = 64LL << 20;
constexpr std::int64_t unknown_size_most = 64LL << 30;
// A transfer may be as slow as this before its deadline ends it.
constexpr std::int64_t slowest_rate = 16 * 1024;

// What is hashed between two looks at the network: 10 to 20 ms with SHA-256 in software.
constexpr std::size_t slice = 4 << 20;
// What opening a file counts for: it bounds a turn where there are thousands of small ones.
constexpr std::size_t opening = 16 << 10;

}  // namespace

std::chrono::milliseconds deadline_for(std::int64_t size, std::chrono::milliseconds timeout,
                                       std::int64_t share) {
    // Half of its share: the others may leave it less for a while.
    const std::int64_t rate =
        share > 0 ? std::clamp<std::int64_t>(share / 2, 1, slowest_rate) : slowest_rate;
    // What a page says of a size may be anything.
    constexpr std::int64_t century = 3'155'760'000;
    return 2 * timeout + std::chrono::seconds(std::min(size / rate, century));
}

struct Downloads::Errand {
    std::string path;  // below web/
    std::string url;   // at the master
    std::string etag;  // of what we have
    Expected expected;
    std::int64_t most = 0;
    bool https_only = false;
    std::string place;  // in the tree, where it may lie already; empty: nowhere
    FileLook found;     // what lies there
    Heard heard;
    Ended ended;

    std::string proving;  // the path that is being hashed
    enum class Kind { whole, in_place, part } kind = Kind::whole;
    std::optional<Proof> proof;
    std::unique_ptr<Arrival> arrival;
    std::int64_t first_byte = 0;
    std::size_t next_alternate = 0;
    std::optional<std::size_t> alternate{};  // that is being asked; nothing: the master's own host
    bool anew = false;                       // a part of it was wrong: no other is tried
};

Downloads::Downloads(Transport& transport, Staging& staging, const Policy& policy,
                     const Clock& clock, Log& log, bool recovering)
    : transport_(transport),
      staging_(staging),
      policy_(policy),
      recovering_(recovering),
      alternates_(policy.alternates, clock, log) {
    auto link = PageLink::relative_to(policy.master);
    auto root = link ? link->resolve("/") : Failure{Fault::refused, {}};
    if (!root || policy.master == policy.master_shown) return;
    master_root_ = std::move(root).value();
    const auto host = policy.master.find("://") + 3;
    master_root_with_password_ = policy.master.substr(0, policy.master.find('/', host)) + '/';
}

Downloads::~Downloads() = default;

void Downloads::start(const File& file, const Fetch& wanted, bool https_only, Heard heard,
                      Ended ended) {
    const bool metadata = wanted.metadata;
    auto errand = std::make_shared<Errand>();
    errand->path = metadata ? layout::metadata(file.path) : file.path;
    errand->url = file.url + (metadata ? ".metadata" : "");
    if (!metadata) errand->etag = file.etag;
    errand->expected = expected_of(file, metadata);
    errand->most = metadata ? metadata_most : file.size.value_or(unknown_size_most);
    errand->https_only = https_only;
    if (recovering_ || wanted.lies_there) errand->place = layout::published(errand->path);
    errand->heard = std::move(heard);
    errand->ended = std::move(ended);
    go_on(errand);
}

// With the user name and password of master.url where the file lies at that very host: a private
// index asks for them there too. Pages do not have them, nor does the state.
std::string Downloads::with_password(const std::string& url) const {
    if (master_root_.empty() || !url.starts_with(master_root_)) return url;
    return master_root_with_password_ + url.substr(master_root_.size());
}

void Downloads::go_on(const Shared& errand) {
    if (look(*errand))
        hashing_.push_back(errand);
    else
        transfer(errand);
}

// Something lies here that may be of use: the whole file, or a part of it.
bool Downloads::look(Errand& errand) {
    if (!errand.expected.digest) return false;
    using Kind = Errand::Kind;
    const auto found = [&](std::optional<std::string> path, Kind kind) {
        if (!path || path->empty()) return false;
        errand.proving = std::move(*path);
        errand.kind = kind;
        errand.proof.emplace(staging_.tree(), errand.proving, errand.expected);
        return true;
    };
    if (found(staging_.take_whole(errand.expected), Kind::whole)) return true;
    if (lies_in_place(errand) && found(std::exchange(errand.place, {}), Kind::in_place))
        return true;
    return !errand.anew && found(staging_.take_part(errand.expected), Kind::part);
}

// Where there is none of that size, nothing has to be hashed.
bool Downloads::lies_in_place(Errand& errand) {
    if (errand.place.empty()) return false;
    const auto about = staging_.tree().look(errand.place);
    const bool lies = about && about.value() &&
                      (!errand.expected.size || *errand.expected.size == about.value()->size);
    if (lies)
        errand.found = *about.value();
    else
        errand.place.clear();
    return lies;
}

bool Downloads::pump() {
    if (hashing_.empty()) return false;
    for (std::size_t left = slice; left > 0 && !hashing_.empty();) {
        const Shared errand = std::move(hashing_.front());
        hashing_.pop_front();
        left -= std::min(left, errand->proof->go_on(left) + opening);
        errand->heard();
        if (errand->proof->ended())
            proven(errand);
        else
            hashing_.push_back(errand);  // the next one's turn
    }
    return true;
}

void Downloads::proven(const Shared& errand) {
    if (errand->kind == Errand::Kind::part) {
        part_proven(errand);
        return;
    }
    const bool staged = errand->kind == Errand::Kind::whole;
    if (errand->proof->whole()) {
        end(*errand, staged ? Fetched{errand->proving, {}} : Fetched{{}, {}, {}, errand->found});
        return;
    }
    // Should it stay, the next start finds it again: no reason to end.
    if (staged) (void)staging_.tree().remove(errand->proving).ok();
    go_on(errand);
}

void Downloads::part_proven(const Shared& errand) {
    Proof proof = std::move(*errand->proof);
    errand->proof.reset();
    const bool usable = proof.may_go_on();
    errand->arrival =
        std::make_unique<Arrival>(staging_, errand->proving, errand->expected, std::move(proof));
    if (usable && errand->arrival->size() < *errand->expected.size) {
        transfer(errand);
        return;
    }
    // All of it had arrived when it was cut off, or it is not what it is named after.
    auto staged = errand->arrival->finish();
    if (!staged) {
        errand->arrival->spoil();
        errand->arrival.reset();
        go_on(errand);
        return;
    }
    end(*errand, Fetched{std::move(staged).value().path, {}});
}

void Downloads::transfer(const Shared& errand) {
    if (!errand->arrival)
        errand->arrival = std::make_unique<Arrival>(staging_, staging_.new_path(errand->expected),
                                                    errand->expected);
    errand->first_byte = errand->arrival->size();
    // What nobody can prove comes from where the master says.
    errand->alternate =
        is_strong(errand->expected) ? alternates_.next(errand->next_alternate) : std::nullopt;
    Request request;
    request.peer = Peer::file;
    request.url = with_password(errand->url);
    request.https_only = errand->https_only;
    if (errand->alternate) {
        alternates_.begun(*errand->alternate);
        request.peer = Peer::alternate;
        request.url = alternates_.url(*errand->alternate, errand->path);
        request.https_only = false;  // it is the operator who named it, and the digest that proves
    }
    request.etag = errand->etag;
    request.encoding = Encoding::raw;
    request.first_byte = errand->first_byte;
    request.most_bytes = errand->most;
    request.deadline =
        deadline_for(errand->most, policy_.timeout, policy_.file_rate / policy_.file_requests);

    Receiver receiver;
    receiver.on_head = [errand](const Reply& reply) -> Done {
        if (errand->first_byte > 0 && reply.status == 200) errand->arrival->restart();
        return Nothing{};
    };
    receiver.on_body = [this, errand](std::string_view piece) {
        errand->heard();
        bytes_arrived_ += static_cast<std::int64_t>(piece.size());
        return errand->arrival->write(piece);
    };
    receiver.on_end = [this, errand](const Outcome<Reply>& reply) { transferred(errand, reply); };
    transport_.start(std::move(request), std::move(receiver));
}

Outcome<Downloads::Fetched> Downloads::result_of(Errand& errand,
                                                 const Outcome<Reply>& reply) const {
    if (!reply) return reply.failure();
    if (reply.value().status == 304) return Fetched{{}, errand.etag};
    const std::string etag = errand.expected.digest ? std::string() : reply.value().etag;
    auto staged = errand.arrival->finish_unwritten();
    if (staged) {
        Staged file = std::move(staged).value();
        return Fetched{std::move(file.path), etag, std::move(file.unwritten)};
    }
    Failure failure = std::move(staged).failure();
    if (!is_local(failure.fault))
        failure.what = fmt::format("GET {}: {}", display_url(reply.value().url), failure.what);
    return failure;
}

void Downloads::transferred(const Shared& errand, const Outcome<Reply>& reply) {
    auto result = result_of(*errand, reply);
    const bool wrong = !result && result.failure().fault == Fault::corrupt;
    if (wrong) errand->arrival->spoil();
    errand->arrival.reset();
    if (errand->alternate)
        alternates_.ended(*errand->alternate, result ? nullptr : &result.failure());
    const bool doubtful = wrong || (!result && result.failure().fault == Fault::refused);
    if (!result && !is_local(result.failure().fault) && try_again(*errand, doubtful))
        go_on(errand);
    else
        end(*errand, std::move(result));
}

bool Downloads::try_again(Errand& errand, bool doubtful) {
    // It may be the part that was wrong, or the range that was refused: once, the whole file is
    // asked for.
    const bool part_wrong = doubtful && errand.first_byte > 0 && !std::exchange(errand.anew, true);
    if (!errand.alternate) return part_wrong;
    errand.next_alternate = *errand.alternate + 1;
    return true;
}

void Downloads::end(Errand& errand, Outcome<Fetched> outcome) {
    const Ended ended = std::move(errand.ended);
    ended(std::move(outcome));
}

void Downloads::abandon() {
    hashing_.clear();
    alternates_.abandon();
}

}  // namespace pep381d
