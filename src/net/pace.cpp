#include "pep381d/net/pace.h"

#include <algorithm>

namespace pep381d {

namespace {

// So many things that fail in a row are the host's trouble, not theirs.
constexpr std::size_t failures_most = 3;
constexpr std::chrono::seconds longest_asked{3600};
constexpr int most_doublings = 6;

// A transfer hangs after four times what is usual, and this long. Its place is needed: the sooner
// the better.
constexpr std::chrono::seconds until_overlooked{2};
// Whether all hang is asked in order to give up, and who does so counts from the beginning: a
// machine that is busy must not look like a master that is silent.
constexpr std::chrono::seconds until_given_up{5};
constexpr int times_usual = 4;

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
    cause_ = failure.what;
    if (!failure.limited) return;
    limited_ = pause_;
    budget_ = std::max(1, budget_ / 2);
    answers_ = 0;
}

Slots::Id Slots::start(Steady now) {
    if (running_.empty()) newest_ = now;
    running_.emplace(next_, Transfer{now});
    return next_++;
}

void Slots::heard(Id id, Steady now) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    Transfer& transfer = found->second;
    const auto pause = now - transfer.heard;
    transfer.longest_pause = std::max(transfer.longest_pause.value_or(pause), pause);
    transfer.heard = now;
    // It was no silence as long as this one waited and came on. A quick answer to a retry does not
    // undo the silence of those that hang beside it.
    newest_ = std::min(now, newest_ + pause);
}

void Slots::end(Id id) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    // One of which nothing came says nothing about the others.
    if (const auto longest = found->second.longest_pause)
        usual_ = usual_ ? *usual_ + (*longest - *usual_) / 16 : *longest;
    running_.erase(found);
}

bool Slots::hangs(const Transfer& transfer, Steady now, Steady::duration least) const {
    const auto pause = std::max(usual_.value_or(Steady::duration(0)),
                                transfer.longest_pause.value_or(Steady::duration(0)));
    return now - transfer.heard > least + times_usual * pause;
}

int Slots::taken(Steady now, int most) const {
    if (!usual_ || running() < most) return running();
    const auto hanging = std::count_if(running_.begin(), running_.end(), [&](const auto& one) {
        return hangs(one.second, now, until_overlooked);
    });
    return running() - std::min(static_cast<int>(hanging), most);
}

bool Slots::all_hang(Steady now) const {
    return std::all_of(running_.begin(), running_.end(),
                       [&](const auto& one) { return hangs(one.second, now, until_given_up); });
}

}  // namespace pep381d
