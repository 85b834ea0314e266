// What the master's journal never says: a project archived or not any more, a .metadata or a
// provenance that came late (protocol B.5). All pages are asked for once in an interval, one at a
// time, by their ETag, and only while there is nothing else to do. An answer of "not modified"
// changes nothing in the state; how far it has come is noted now and then, and a new start goes on
// there: at once, so that one that is started again and again comes on too.
//
// This decides which page is asked for and when; what comes of it is the committer's. Thread rule:
// the committer's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/plan/filter.h"
#include "pep381d/state/state.h"

namespace pep381d {

class Sweep {
  public:
    // `interval`: above 0.
    Sweep(State& state, const Filter& filter, const Clock& clock,
          std::chrono::milliseconds interval);

    // When there will be something to ask for; nothing while an answer is awaited.
    std::optional<Steady> next() const;
    bool due() const;
    // The project whose page is to be asked for; nothing: not now after all. Each is followed by
    // answered() or failed().
    std::optional<Queued> take();
    bool awaits(const ProjectName& project) const { return asked_ == project; }
    void answered(bool changed);
    // No answer that says anything: it is asked for again after a growing pause, three times.
    void failed();
    // Notes how far it has come. Outside of a State::Change.
    void leave();

  private:
    std::chrono::milliseconds pause() const;
    void pass_by();
    void end_round();
    void note();

    State& state_;
    const Filter& filter_;
    const Clock& clock_;
    const std::chrono::milliseconds interval_;
    Time began_;         // the round; in the future: it has not begun
    std::string place_;  // all names up to this one are done
    std::int64_t done_ = 0, found_ = 0;
    std::optional<ProjectName> asked_;
    int attempts_ = 0;  // that failed, for the next name
    Steady due_;
    Steady noted_;
};

}  // namespace pep381d
