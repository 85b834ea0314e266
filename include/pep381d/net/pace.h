// How fast one host is asked (politeness). Pure: it is told the time. One thread.
//
// Pace: a host that says 429 is given a pause, and is asked half as much at a time afterwards; one
// at which three things in a row failed is given a pause too. What fails is told by name: one
// project that never works is one failure, however often it is tried, and slows down no other.
//
// Slots: how many transfers are under way, and which of them hang: those from which nothing comes
// for much longer than is usual, by their own pauses and by those of the ones before. Whoever is
// slow but comes on never hangs. One that hangs no longer takes a place; so at most twice as many
// run as are allowed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/base/outcome.h"

namespace pep381d {

class Pace {
  public:
    explicit Pace(int most) : most_(most), budget_(most) {}

    // When the next request may start: now or earlier, later, or (nothing) when another one ends.
    std::optional<Steady> next() const;
    void started() { ++running_; }
    void ended() { --running_; }
    // Nothing is asked of it, and it wants no pause.
    bool rested(Steady now) const { return running_ == 0 && pause_ <= now; }
    // Of the last pause; empty: there was none.
    const std::string& pause_cause() const { return cause_; }
    // It said something of what it was asked for, good or bad.
    void answered();
    // It did not (Fault::retry_later), when asked for `what`.
    void failed(const std::string& what, const Failure& failure, Steady now);
    // Something else shows that it is well: what failed were those things alone.
    void well();
    // Asked for by the host itself, with 429; nothing else is asked of it meanwhile.
    Steady limited_until() const { return limited_; }
    void abandon() { running_ = 0; }

  private:
    void pause(Steady until) { pause_ = std::max(pause_, until); }

    const int most_;
    int budget_;
    int running_ = 0;
    int answers_ = 0;                // since the budget changed
    std::set<std::string> failing_;  // since the last answer
    int pauses_ = 0;                 // likewise
    std::string cause_;              // of the last pause
    Steady pause_{};
    Steady limited_{};
};

class Slots {
  public:
    using Id = std::uint64_t;

    Id start(Steady now);
    void heard(Id id, Steady now);
    void end(Id id);
    // Those that take a place. While nobody knows what is usual, all do.
    int taken(Steady now, int most) const;
    int running() const { return static_cast<int>(running_.size()); }
    bool all_hang(Steady now) const;
    // When something came, or a transfer began, last.
    Steady newest() const { return newest_; }
    void clear() { running_.clear(); }

  private:
    struct Transfer {
        Steady heard;  // the last time
        std::optional<Steady::duration> longest_pause{};
    };
    bool hangs(const Transfer& transfer, Steady now, Steady::duration least) const;

    std::map<Id, Transfer> running_;
    Id next_ = 1;
    Steady newest_{};
    std::optional<Steady::duration> usual_;  // longest pause of a transfer: a moving average
};

}  // namespace pep381d
