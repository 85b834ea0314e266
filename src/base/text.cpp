#include "pep381d/base/text.h"

#include <cstdint>

namespace pep381d {

namespace {
constexpr std::string_view blanks = " \t\r\n";
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> all;
    for (text = trim(text); !text.empty(); text = trim(text)) {
        const auto end = text.find_first_of(blanks);
        all.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
    }
    return all;
}

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool surrogate = first == 0xed && byte(1) >= 0xa0;
    const bool too_high = first == 0xf4 && byte(1) >= 0x90;
    return overlong || surrogate || too_high ? 0 : length;
}

std::size_t shown_length(std::string_view text) {
    const std::size_t length = utf8_length(text);
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    if (length == 1) return byte(0) < 0x20 || byte(0) == 0x7f ? 0 : 1;
    if (length == 2) return byte(0) == 0xc2 && byte(1) < 0xa0 ? 0 : 2;  // U+0080 to U+009F
    if (length == 3 && byte(0) == 0xe2) {
        const bool mark = byte(1) == 0x80 && (byte(2) & 0xfe) == 0x8e;  // U+200E, U+200F
        const bool line = byte(1) == 0x80 && (byte(2) & 0xfe) == 0xa8;  // U+2028, U+2029
        const bool embeds = byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae;
        const bool isolates = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
        if (mark || line || embeds || isolates) return 0;
    }
    return length;
}

}  // namespace pep381d
