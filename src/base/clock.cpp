#include "pep381d/base/clock.h"

#include <ctime>

#include <fmt/format.h>

namespace pep381d {

namespace {

std::tm utc(Time time) {
    // Not by the system's clock, whose nanoseconds end in 2262.
    const std::time_t seconds = unix_seconds(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return parts;
}

}  // namespace

Time SystemClock::now() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Steady SystemClock::steady() const {
    return std::chrono::steady_clock::now();
}

std::int64_t unix_seconds(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string format_basic(Time time) {
    const std::tm t = utc(time);
    return fmt::format("{:04}{:02}{:02}T{:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1,
                       t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string format_iso(Time time) {
    const std::tm t = utc(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.tm_year + 1900, t.tm_mon + 1,
                       t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::optional<Time> parse_basic(std::string_view text) {
    std::tm t{};
    const std::string copy(text);
    if (strptime(copy.c_str(), "%Y%m%dT%H:%M:%S", &t) == nullptr) return std::nullopt;
    const Time time(std::chrono::seconds(timegm(&t)));
    // strptime takes blanks, short fields and the 30th of February.
    if (format_basic(time) != text) return std::nullopt;
    return time;
}

}  // namespace pep381d
