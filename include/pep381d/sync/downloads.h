// Files on their way in: from what lies here already, from the alternates in their order, or from
// where the master says; behind what an earlier transfer left. How many run at a time is the
// caller's to say. On the loop's thread.
//
// What lies here is hashed before it is used, in slices between which the loop sees to the rest of
// its duties: a part of 10 GB holds nothing up.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pep381d/base/outcome.h"
#include "pep381d/model/project_page.h"
#include "pep381d/net/transport.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/sync/alternates.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

class Downloads {
  public:
    struct Fetched {
        std::string staged;  // the path of the whole and right file in staging/; empty: it is ours
                             // already
        std::string etag;    // of a file without a digest, where one came
        std::optional<std::string> unwritten{};  // of a small file: what is to be written there
        std::optional<FileLook> found{};         // nobody had it, and it lies in its place whole
    };
    using Ended = std::function<void(Outcome<Fetched>)>;
    using Heard = std::function<void()>;

    // `recovering`: files may lie in their place that the state does not know of.
    Downloads(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock,
              Log& log, bool recovering);
    ~Downloads();

    // The file, or its .metadata, as the plan wants it; where the file has an ETag, only if it has
    // another one by now. `https_only`: the page that names it came by https. `ended` is called
    // once, from pump() or from the transport's wait(), unless abandon() comes first; `heard`
    // before, whenever some of it came.
    void start(const File& file, const Fetch& wanted, bool https_only, Heard heard, Ended ended);
    // Hashes a slice of what lies here; true: it did, there may be more, and nothing to wait for.
    bool pump();
    // Something that lies here is still to be hashed.
    bool hashing() const { return !hashing_.empty(); }
    // Forgets all of them. The transport must have been told to.
    void abandon();

    std::int64_t bytes_arrived() const { return bytes_arrived_; }

  private:
    struct Errand;
    using Shared = std::shared_ptr<Errand>;

    std::string with_password(const std::string& url) const;
    void go_on(const Shared& errand);
    bool look(Errand& errand);
    bool lies_in_place(Errand& errand);
    void proven(const Shared& errand);
    void part_proven(const Shared& errand);
    void transfer(const Shared& errand);
    Outcome<Fetched> result_of(Errand& errand, const Outcome<Reply>& reply) const;
    void transferred(const Shared& errand, const Outcome<Reply>& reply);
    bool try_again(Errand& errand, bool doubtful);
    void end(Errand& errand, Outcome<Fetched> outcome);

    Transport& transport_;
    Staging& staging_;
    const Policy& policy_;
    const bool recovering_;
    Alternates alternates_;
    // URLs with a slash behind the host; empty where master.url has no password.
    std::string master_root_, master_root_with_password_;
    std::deque<Shared> hashing_;
    std::int64_t bytes_arrived_ = 0;
};

// How long the transfer of so many bytes may take: twice the time-out, and their time at the
// slowest rate that is still worth waiting for. `share`: what files.rate-limit leaves to a
// transfer; 0: no limit.
std::chrono::milliseconds deadline_for(std::int64_t size, std::chrono::milliseconds timeout,
                                       std::int64_t share);

}  // namespace pep381d
