// A project that is being looked at. For jobs.cpp and job_files.cpp alone.
#pragma once

#include "pep381d/sync/jobs.h"

namespace pep381d {

// A page that stays behind its journal for this long is taken for what it is (protocol B.6).
inline constexpr std::chrono::hours stale_page_believed{1};

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
    Slots::Id slot = 0;  // of its page
    bool asked = false;  // for its page
    bool read = false;   // it is
    int failed_in_a_row = 0;
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

}  // namespace pep381d
