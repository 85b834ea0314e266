// How long to wait before something is tried again. Who waits, and for what, is decided above.
#pragma once

#include <chrono>

namespace pep381d {

// The pause before the try after `attempt` failed ones (from 1). Pure: any share, by `random` in
// [0,1), of 1 s, doubled each time up to 1 h, but never below what the peer asked for (at most 24 h
// of it).
//
// Full jitter, no fixed half: whoever failed together (hundreds of projects, when the master was
// away for a minute) comes back evenly spread over the whole step. That one of them comes back at
// once costs a request; the doubling bounds how often, and who wants a pause kept asks for one.
std::chrono::milliseconds retry_pause(int attempt, std::chrono::milliseconds asked, double random);

// Evenly in [0,1); seeded by the system once for each thread. Any thread.
double random_share();

}  // namespace pep381d
