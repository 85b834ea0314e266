// Time, behind an interface because tests need a clock that jumps. Any thread may call it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pep381d {

// Wall time, UTC. It may jump: use it for what is stored or shown, never to measure a wait.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
// Time that only goes forward, for timeouts and waits.
using Steady = std::chrono::steady_clock::time_point;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
    virtual Steady steady() const = 0;
};

class SystemClock final : public Clock {
  public:
    Time now() const override;
    Steady steady() const override;
};

std::int64_t unix_seconds(Time time);

// `20261121T21:15:47`, UTC: the form of PEP 381's last-modified (no Z, because its readers refuse
// one).
std::string format_basic(Time time);
// `2026-11-21T21:15:47Z`
std::string format_iso(Time time);
// Reads what format_basic wrote.
std::optional<Time> parse_basic(std::string_view text);

}  // namespace pep381d
