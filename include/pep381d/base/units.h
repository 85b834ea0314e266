// Durations and sizes as people write them in the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pep381d {

// `0`, `500ms`, `90s`, `15min`, `24h`, `30d`; nothing for anything else, negative or above 100
// years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// The shortest exact form that parse_duration reads.
std::string format_duration(std::chrono::milliseconds duration);

// `0`, `123`, `64KiB`, `20MiB`, `1GiB`, `1TiB`, in bytes.
std::optional<std::int64_t> parse_size(std::string_view text);
// The shortest exact form that parse_size reads.
std::string format_size(std::int64_t bytes);
// For people: three digits and a unit, `1.23 GiB`.
std::string display_size(std::int64_t bytes);

}  // namespace pep381d
