#include "pep381d/plan/removal.h"

#include <algorithm>

namespace pep381d {

namespace {

// Without an event a 404 is believed after this long, this many looks, and a name list that lacks
// the project too.
constexpr std::chrono::hours believed_after{1};
constexpr int believed_looks = 3;
// After this many looks at a page that a removal event contradicts (an edge cache serves it on),
// the list decides.
constexpr int stale_looks = 2;

}  // namespace

Verdict judge_gone(const GoneEvidence& evidence) {
    if (evidence.last_loss == Loss::project) {
        if (evidence.page_gone || evidence.listed_out) return Verdict::gone;
        return evidence.looks >= stale_looks ? Verdict::ask_list : Verdict::wait;
    }
    if (!evidence.page_gone || evidence.gone_looks < believed_looks || !evidence.gone_since)
        return Verdict::wait;
    if (evidence.now - *evidence.gone_since < believed_after) return Verdict::wait;
    // A list from before the first such look says nothing about it.
    const bool absent = evidence.absent && *evidence.absent > *evidence.gone_since;
    return absent ? Verdict::gone : Verdict::ask_list;
}

bool too_many_deletions(std::int64_t candidates, std::int64_t projects, double fraction) {
    constexpr std::int64_t never_held_back = 10;
    const auto part = static_cast<std::int64_t>(static_cast<double>(projects) * fraction);
    return candidates > std::max(never_held_back, part);
}

}  // namespace pep381d
