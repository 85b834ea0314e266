// The descriptors that the loop waits for: curl's sockets, one for wake(), and one that the caller
// of wait() names. curl is then called for those that are ready, instead of for all transfers in
// turn. Thread rule: the transport's, but for wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "pep381d/base/descriptor.h"
#include "pep381d/base/outcome.h"

namespace pep381d {

// Of a call that failed with errno.
Fatal failed_call(const char* call);

class Readiness {
  public:
    Readiness();

    // `events`: EPOLLIN, EPOLLOUT; 0: no longer. False, and errno, where the system refuses.
    bool watch(int fd, std::uint32_t events);
    void wake();
    // Calls `ready(descriptor, events)` for each socket; wake() and `also` (-1: none), which stays
    // open as long as it is named here, only end the waiting.
    void wait(std::chrono::milliseconds most, int also,
              const std::function<void(int, std::uint32_t)>& ready);

  private:
    Descriptor epoll_;
    Descriptor wake_;
    int also_ = -1;
};

}  // namespace pep381d
