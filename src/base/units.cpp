#include "pep381d/base/units.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace pep381d {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr std::array<Unit, 5> durations{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 5> sizes{
    {{"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"", 1}}};

template <std::size_t N>
std::optional<std::int64_t> parse(std::string_view text, const std::array<Unit, N>& units,
                                  std::int64_t most) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || text.front() == '-') return std::nullopt;
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (name.empty() && number == 0) return 0;
    for (const Unit& unit : units)
        if (name == unit.name) {
            if (number > most / unit.factor) return std::nullopt;
            return number * unit.factor;
        }
    return std::nullopt;
}

template <std::size_t N>
std::string format(std::int64_t value, const std::array<Unit, N>& units) {
    if (value == 0) return "0";
    for (const Unit& unit : units)
        if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
    return fmt::format("{}", value);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    constexpr std::int64_t century = 36'525LL * 86'400'000;
    const auto value = parse(text, durations, century);
    if (!value) return std::nullopt;
    return std::chrono::milliseconds(*value);
}

std::string format_duration(std::chrono::milliseconds duration) {
    return format(duration.count(), durations);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
    return parse(text, sizes, std::int64_t{1} << 60);
}

std::string format_size(std::int64_t bytes) {
    return format(bytes, sizes);
}

std::string display_size(std::int64_t bytes) {
    static constexpr std::array<const char*, 6> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    // The limits are what still rounds to three digits.
    while (amount >= 999.5 && unit + 1 < names.size()) {
        amount /= 1024;
        ++unit;
    }
    const int decimals = unit == 0 || amount >= 99.95 ? 0 : amount >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f} {}", amount, decimals, names[unit]);
}

}  // namespace pep381d
