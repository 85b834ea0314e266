// What the mirror holds, how fresh it is and what it could not get: the values behind `status` and
// the status page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/model/serial.h"

namespace pep381d {

// A project that is queued and failed at its last try.
struct FailingProject {
    std::string name;  // normalized
    std::string cause;
    std::int64_t attempts = 0;
    std::optional<Time> next_try;  // none: at the next chance
    bool operator==(const FailingProject&) const = default;
};

// What is left out for good, because the master names or sends what we refuse (design 2.6).
struct SkippedItem {
    std::string name;  // as the master wrote it: not yet a legal one
    std::string cause;
    bool operator==(const SkippedItem&) const = default;
};

struct Status {
    std::string version;    // of this program
    std::string master;     // base URL
    std::string protocol;   // what it speaks (master/protocol.h); empty: not known yet
    bool copied = false;    // pages.mode = copy
    std::string contact;    // mail or URL, may be empty
    bool filtered = false;  // not all projects, or not all files of them
    Time as_of{};           // when these values were read

    Serial serial;
    std::optional<Time> last_modified;  // none: no complete pass yet
    std::int64_t projects = 0;
    std::int64_t files = 0;
    std::int64_t bytes = 0;
    std::int64_t pending = 0;  // projects queued, the failed among them
    std::int64_t failed = 0;   // projects; may be more than are listed
    std::vector<FailingProject> failing;
    std::vector<SkippedItem> skipped;
    std::optional<Time> last_poll;
    std::string shortage;               // why nothing is fetched: no room; empty: there is enough
    std::optional<Time> verified;       // when the newest whole round of verifying began
    std::int64_t damages = 0;           // that the daemon's verifying has found
    std::string newest_damage;          // time, path and cause; empty: none
    std::optional<Time> reconciled;     // when the newest full list of names was asked for
    std::int64_t reconcile_queued = 0;  // projects that it found new or newer
    std::int64_t reconcile_absent = 0;  // and that it lacked
    std::optional<Time> sweep_began;  // the sweep over all pages that is under way; none: it rests
    std::int64_t sweep_asked = 0;     // pages, as of a quarter of an hour ago at most
    std::int64_t sweep_found = 0;     // of which had changed
    std::optional<Time> swept;        // when the newest whole sweep began
    std::int64_t swept_found = 0;     // pages that it found changed
    std::string last_error;           // empty: none since the last good poll
    std::string key_error;  // why what came as the master's key was not believed; empty: it was
    bool operator==(const Status&) const = default;
};

}  // namespace pep381d
