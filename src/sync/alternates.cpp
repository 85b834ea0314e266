#include "pep381d/sync/alternates.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/base/units.h"
#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

// So many failures in a row are the host's, not a file's.
constexpr int most_failures = 3;
// Longer than the time-out from the start, since an attempt may cost one.
constexpr std::chrono::seconds first_pause{60};
constexpr std::chrono::seconds longest_pause{3600};

}  // namespace

Alternates::Alternates(const std::vector<std::string>& bases, const Clock& clock, Log& log)
    : clock_(clock), log_(log) {
    for (const std::string& base : bases) all_.push_back({base});
}

std::optional<std::size_t> Alternates::next(std::size_t from) const {
    const Steady now = clock_.steady();
    for (std::size_t i = from; i < all_.size(); ++i) {
        const Alternate& alternate = all_[i];
        const bool trusted = alternate.failures < most_failures;
        if (trusted || (now >= alternate.rested && alternate.running == 0)) return i;
    }
    return std::nullopt;
}

std::string Alternates::url(std::size_t number, const std::string& path) const {
    std::string url = all_[number].base + "/";
    append_escaped_path(url, path);
    return url;
}

void Alternates::ended(std::size_t number, const Failure* failure) {
    Alternate& alternate = all_[number];
    --alternate.running;
    // It may not have the newest files yet: that it says so at once shows that it is well.
    if (failure == nullptr || failure->fault == Fault::gone) {
        alternate.failures = 0;
        return;
    }
    const Steady now = clock_.steady();
    // What was under way when the pause began does not count again.
    if (now < alternate.rested || ++alternate.failures < most_failures) return;
    const int doublings = std::min(alternate.failures - most_failures, 6);
    const auto pause = std::max(std::min(first_pause * (1 << doublings), longest_pause),
                                std::min(failure->wait, longest_pause));
    alternate.rested = now + pause;
    log_.warning(fmt::format("alternate_rests url={} pause={} cause={}",
                             quoted(display_url(alternate.base)), format_duration(pause),
                             quoted(failure->what)));
}

void Alternates::abandon() {
    for (Alternate& alternate : all_) alternate.running = 0;
}

}  // namespace pep381d
