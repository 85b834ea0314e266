#include "pep381d/net/speed_watch.h"

#include <fmt/format.h>

#include "pep381d/base/units.h"

namespace pep381d {

namespace {

// Bytes a second. 32 transfers of a line with 64 kbit/s still have twice that each.
constexpr std::int64_t least_rate = 128;
// Nobody looked for so long: we were busy ourselves, and what has not arrived is not the peer's
// fault.
constexpr std::chrono::seconds absence{5};

}  // namespace

SpeedWatch::SpeedWatch(std::chrono::milliseconds timeout)
    : timeout_(timeout), window_(std::chrono::ceil<std::chrono::seconds>(timeout)) {}

std::optional<std::string> SpeedWatch::look(Time now, std::int64_t bytes) {
    const bool away = now - looked_ > absence;
    looked_ = now;
    if (bytes != last_ || away) changed_ = now;
    // Fewer than before: a redirect led on.
    if (away || last_ == 0 || bytes < last_) {
        since_ = now;
        from_ = bytes;
    }
    last_ = bytes;
    if (bytes == 0 || now - since_ < window_) return std::nullopt;

    const std::int64_t came = bytes - from_;
    const bool slow = came < least_rate * window_.count();
    since_ = now;
    from_ = bytes;
    if (!slow || (share_ > 0 && share_ < least_share)) return std::nullopt;
    if (now - changed_ >= timeout_) return "no byte for " + format_duration(timeout_);
    return fmt::format("it trickles, {} bytes in {}", came, format_duration(window_));
}

}  // namespace pep381d
