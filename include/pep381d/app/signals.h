// Signals as a descriptor, so that the loop meets them where it waits for everything else.
#pragma once

#include "pep381d/base/descriptor.h"
#include "pep381d/sync/engine.h"

namespace pep381d {

class Signals {
  public:
    // Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 for this thread and all that it starts later.
    Signals();
    int descriptor() const { return descriptor_.get(); }
    // What arrived since the last call; the gravest, where there are several.
    Command command();
    // Waits for SIGTERM or SIGINT.
    void wait_for_stop();

  private:
    Descriptor descriptor_;
};

}  // namespace pep381d
