// How a pass is coming along, on stderr: one line that renews itself on a terminal, plain log lines
// elsewhere.
#pragma once

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/sync/engine.h"

namespace pep381d {

class ProgressLine {
  public:
    ProgressLine(const Clock& clock, Log& log);
    ~ProgressLine();
    void show(const Progress& progress);
    struct Verified {
        std::int64_t projects = 0, of = 0, bytes = 0;
    };
    void show_verified(const Verified& verified);
    // Before something else is written on the terminal.
    void clear() { erase(); }

  private:
    bool rested();
    void print(const Progress& progress, double seconds);
    void erase();

    const Clock& clock_;
    Log& log_;
    bool terminal_;
    Steady began_;
    Steady shown_;
    Progress last_;
    bool on_screen_ = false;
};

}  // namespace pep381d
