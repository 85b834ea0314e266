// How long to wait before something is tried again. Pure; who waits, and for what, is decided
// above.
#pragma once

#include <chrono>

namespace pep381d {

// The pause before the try after `attempt` failed ones (from 1): 1 s, doubled each time up to 1 h;
// of that at least half, the rest by `random` in [0,1), so that those who failed together do not
// come back together. Never below what the peer asked for (at most 24 h of it).
std::chrono::milliseconds retry_pause(int attempt, std::chrono::milliseconds asked, double random);

}  // namespace pep381d
