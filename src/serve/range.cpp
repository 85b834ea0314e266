#include "pep381d/serve/range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "pep381d/serve/words.h"

namespace pep381d {

namespace {

// A number too large for 64 bits is as good as the largest: no file is longer.
std::optional<std::uint64_t> number(std::string_view text) {
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (largest - digit) / 10 ? largest : value * 10 + digit;
    }
    return value;
}

}  // namespace

Slice slice_of(std::string_view range, std::uint64_t size) {
    const Slice whole{Slice::Kind::whole, 0, size};
    const Slice unsatisfiable{Slice::Kind::unsatisfiable, 0, 0};
    if (!same_word(next_word(range, '='), "bytes")) return whole;
    if (range.find(',') != std::string_view::npos || range.find('-') == std::string_view::npos)
        return whole;
    const std::string_view first = next_word(range, '-');
    const std::string_view last = trimmed(range);

    if (first.empty()) {
        const auto suffix = number(last);
        if (!suffix) return whole;
        if (*suffix == 0 || size == 0) return unsatisfiable;
        const std::uint64_t length = std::min(*suffix, size);
        return {Slice::Kind::part, size - length, length};
    }
    const auto from = number(first);
    const auto to = last.empty() ? std::numeric_limits<std::uint64_t>::max() : number(last);
    if (!from || !to || *to < *from) return whole;
    if (*from >= size) return unsatisfiable;
    return {Slice::Kind::part, *from, std::min(*to, size - 1) - *from + 1};
}

}  // namespace pep381d
