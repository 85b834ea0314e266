#include "pep381d/net/pace.h"

#include <algorithm>

namespace pep381d {

namespace {

// So many things that fail in a row are the host's trouble, not theirs.
constexpr std::size_t failures_most = 3;
constexpr std::chrono::seconds longest_asked{3600};
constexpr int most_doublings = 6;

// A transfer is silent after this long, and eight times what is usual.
constexpr std::chrono::seconds silence{2};
constexpr int times_usual = 8;

}  // namespace

std::optional<Steady> Pace::next() const {
    if (budget_ < most_ && running_ >= budget_) return std::nullopt;
    return pause_;
}

void Pace::answered() {
    well();
    // Half as much was a guess: it grows by one for each round that went well.
    if (budget_ == most_ || ++answers_ < budget_) return;
    ++budget_;
    answers_ = 0;
}

void Pace::well() {
    failing_.clear();
    pauses_ = 0;
    pause_ = limited_;
}

void Pace::failed(const std::string& what, const Failure& failure, Steady now) {
    // What was under way when the pause began does not count again.
    if (now < pause_) {
        if (failure.limited) {
            limited_ = std::max(limited_, now + std::min(failure.wait, longest_asked));
            pause(limited_);
        }
        return;
    }
    failing_.insert(what);
    if (!failure.limited && failing_.size() < failures_most) return;
    const std::chrono::seconds grown(1LL << std::min(pauses_++, most_doublings));
    pause(now + std::max(grown, std::min(failure.wait, longest_asked)));
    if (!failure.limited) return;
    limited_ = pause_;
    budget_ = std::max(1, budget_ / 2);
    answers_ = 0;
}

Slots::Id Slots::start(Steady now) {
    heard_.emplace(next_, now);
    return next_++;
}

void Slots::heard(Id id, Steady now) {
    const auto found = heard_.find(id);
    if (found == heard_.end()) return;
    const auto pause = now - found->second;
    usual_ = known_ ? usual_ + (pause - usual_) / 16 : pause;
    known_ = true;
    found->second = now;
}

int Slots::taken(Steady now, int most) const {
    if (!known_ || running() < most) return running();
    const auto limit = silence + times_usual * usual_;
    const auto silent = std::count_if(heard_.begin(), heard_.end(),
                                      [&](const auto& one) { return now - one.second > limit; });
    return running() - std::min(static_cast<int>(silent), most);
}

std::optional<Steady> Slots::newest() const {
    std::optional<Steady> newest;
    for (const auto& [id, when] : heard_) newest = std::max(newest.value_or(when), when);
    return newest;
}

}  // namespace pep381d
