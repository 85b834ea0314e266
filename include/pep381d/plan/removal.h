// When a project is really gone (design 2.5). Pure.
//
// The master's bad day must not delete anything, and a removed (malicious) project must not stay.
#pragma once

#include <cstdint>
#include <optional>

#include "pep381d/base/clock.h"
#include "pep381d/model/event.h"

namespace pep381d {

// What speaks for it when a project's page answered 404 or 410, or shows less than the journal's
// removal.
struct GoneEvidence {
    bool page_gone = false;          // this look: 404 or 410
    Loss last_loss = Loss::nothing;  // of the newest event that is not handled yet
    bool listed_out = false;         // a name list at least as new as that event lacks it
    int looks = 1;                   // failed looks, this one included
    int gone_looks = 0;              // those of them that found a 404 or 410
    std::optional<Time> gone_since;  // when the first of these was
    std::optional<Time> absent;      // when a name list was last seen without it
    Time now;
};

enum class Verdict {
    gone,      // remove it now
    ask_list,  // only a fresh name list can tell: wait for one
    wait,      // look again later
};

Verdict judge_gone(const GoneEvidence& evidence);

// `candidates`: published projects that something says are to go, confirmed or not. `projects`: all
// published ones. More than ten and more than this part of them are held back until an operator
// allows it.
bool too_many_deletions(std::int64_t candidates, std::int64_t projects, double fraction);

}  // namespace pep381d
