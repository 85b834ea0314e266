// A project that is being looked at. For jobs.cpp and job_files.cpp alone.
#pragma once

#include <algorithm>
#include <set>
#include <string_view>

#include "pep381d/sync/jobs.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

// A page that stays behind its journal for this long is taken for what it is (protocol B.6); where
// the newest event has removed files, much later: what is removed must not stay for a cache's sake.
inline constexpr std::chrono::hours stale_page_believed{1};
inline constexpr std::chrono::hours stale_loss_believed{24};

struct Jobs::Job {
    Job(std::uint64_t number, WorkItem work) : id(number), item(std::move(work)) {}

    std::uint64_t id;
    WorkItem item;
    std::string body;
    std::int64_t text = 0;                    // bytes of the page, once it is read
    std::shared_ptr<LongPages::Share> share;  // where the page is a long one
    PageFormat format = PageFormat::json;
    PagePlan plan{{item.queued.name, {}, {}, {}, {}, {}}, {}, {}, false, false};
    std::string etag;
    bool https = false;

    // Where pages are copied: what `body` proves to be, once it is read.
    std::optional<CopiedPage> copy;
    bool copyable = true;  // false: where it is proven, a page of our own making takes its place
    enum class Step { page, signature } step = Step::page;  // to be asked for
    std::string signature, signature_type;
    bool slash = false;       // at the end of the signature's URL
    bool other_form = false;  // both forms were asked for
    int bad_pairs = 0;        // of page and signature
    std::size_t next_fetch = 0;
    std::size_t fetches_left = 0;
    Slots::Id slot = 0;    // of its page
    bool asked = false;    // for its page
    bool read = false;     // it is
    bool no_room = false;  // for all of its page beside other long ones
    int failed_in_a_row = 0;
    // Arrived, for places where what our page names lies: they go there with the page.
    std::vector<FileArrived> kept;
    std::vector<Refused> refused;
    std::optional<Failure> failure;  // the first of its files', or the page's staleness
    bool files_missing = false;
    bool files_left = false;  // without a look whether they lie here
    bool stale = false;

    // Where a killed run may have left what the page should have, and nobody has looked.
    std::vector<std::string> left_in_doubt() const {
        std::vector<std::string> all;
        if (!files_left || item.in_doubt.empty()) return all;
        for (const Fetch& fetch : plan.fetches) {
            const File& file = plan.page.files[fetch.file];
            if (fetch.metadata ? file.metadata_held : file.held) continue;
            std::string path = fetch.metadata ? layout::metadata(file.path) : file.path;
            if (std::binary_search(item.in_doubt.begin(), item.in_doubt.end(), path))
                all.push_back(std::move(path));
        }
        return all;
    }
    // Its page has been older than the journal for so long that it will not change (protocol B.6).
    bool stale_for_good(Time now, bool quarantined) const {
        if (!item.queued.stale_since) return false;
        const auto age = now - *item.queued.stale_since;
        switch (item.queued.last_loss) {
            case Loss::nothing:
                return age >= stale_page_believed;
            case Loss::files:
                return age >= stale_loss_believed;
            case Loss::quarantine:
                return quarantined && age >= stale_page_believed;
            case Loss::project:
                // A journal without serials may be silent of its coming back; a list that was asked
                // for so much later, and does not lack it, is not.
                return !item.numbered && !item.queued.absent &&
                       item.list_asked - *item.queued.stale_since >= stale_page_believed;
        }
        return false;
    }
    // What the page tells is older than what the journal does. Where pages have no serials, only a
    // removal of the whole shows that.
    bool behind_journal(Serial page) const {
        const Queued& queued = item.queued;
        return item.numbered ? page < queued.serial : queued.last_loss == Loss::project;
    }
    // What is asked for in any case.
    bool may_be_taken_down() const {
        const Loss loss = item.queued.last_loss;
        return loss == Loss::project || loss == Loss::quarantine;
    }
    bool shows_quarantine() const { return item.known && item.known->quarantined(); }
    // It is known by a page of before alone, which is named as PEP 503 normalizes it.
    bool may_be_misspelt() const {
        return item.older_tree && item.queued.display == item.queued.name.text();
    }
    // The page that lies here of a state that was lost names a file that the master's does not.
    bool lacks_some_of_before() const {
        if (item.of_before.empty()) return false;
        std::set<std::string_view> listed;
        for (const File& file : plan.page.files) listed.insert(file.name.text());
        return std::any_of(item.of_before.begin(), item.of_before.end(),
                           [&](const std::string& name) { return !listed.contains(name); });
    }
    // Files have left it that ours shows, and neither an event nor a first look tells of that.
    bool loses_unexplained(Time now) const {
        const Queued& queued = item.queued;
        const bool explained = queued.loss != Loss::nothing || plan.page.quarantined() ||
                               (queued.loss_seen && now - *queued.loss_seen >= second_look);
        return !explained && (item.shown ? plan.loses : lacks_some_of_before());
    }
    // Up to where the queue is done with it. Where serials are ours, that of the row that made us
    // look: one that came meanwhile may have a smaller one than the page.
    Serial handled(Serial page) const {
        return item.numbered ? std::max(page, item.queued.serial) : item.queued.serial;
    }
    // Though the master's page is the one that we know: ours may be another, or was read before a
    // first list told whose serials count and has none yet.
    bool is_to_be_shown_anew() const {
        const bool no_serial = !item.numbered && shown().value == 0;
        return item.ahead || !item.in_doubt.empty() || no_serial;
    }
    // An event is newer than what we show. Of ours the newer may have the smaller one: the queue
    // has it for as long as nothing is done about it.
    bool has_news() const { return item.queued.serial > (item.numbered ? shown() : Serial{}); }
    Serial shown() const { return item.known ? item.known->serial : Serial{}; }
};

}  // namespace pep381d
