#include "net/readiness.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <fmt/format.h>

namespace pep381d {

namespace {

int clamp_to_int(std::chrono::milliseconds time) {
    return static_cast<int>(
        std::clamp<std::int64_t>(time.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

Fatal failed_call(const char* call) {
    return Fatal(5, fmt::format("{}: {}; the limit of open files (ulimit -n) may be too low", call,
                                std::strerror(errno)));
}

Readiness::Readiness()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !wake_ || !watch(wake_.get(), EPOLLIN)) throw failed_call("epoll");
}

bool Readiness::watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    // To end it may fail: what is closed is not watched any more.
    if (events == 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    return events == 0 || epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0 ||
           (errno == ENOENT && epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void Readiness::wake() {
    const std::uint64_t one = 1;
    // It fails only where it is full of wakes.
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Readiness::wait(std::chrono::milliseconds most, int also,
                     const std::function<void(int, std::uint32_t)>& ready) {
    if (also != also_) {
        if (also_ >= 0) watch(also_, 0);
        also_ = also;
        if (also_ >= 0 && !watch(also_, EPOLLIN)) throw failed_call("epoll_ctl");
    }
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 clamp_to_int(most));
    if (count < 0 && errno != EINTR) throw failed_call("epoll_wait");
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == wake_.get()) {
            std::uint64_t wakes = 0;
            [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &wakes, sizeof wakes);
        } else if (event.data.fd != also_) {
            ready(event.data.fd, event.events);
        }
    }
}

}  // namespace pep381d
