#include "pep381d/model/file_name.h"

#include <cstdint>

namespace pep381d {

namespace {

constexpr std::size_t longest_component = 255;  // bytes, on every file system that we know
constexpr std::size_t companion_suffix = 9;     // ".metadata"

// The length of the UTF-8 sequence at the front, 0 where it is none (RFC 3629: no surrogates, no overlong forms).
std::size_t sequence_length(std::string_view text) {
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

}  // namespace

bool legal_path_component(std::string_view text) {
    if (text.empty() || text.size() > longest_component || text == "." || text == "..") return false;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if (byte < 0x20 || byte == 0x7f || text[i] == '/' || text[i] == '\\') return false;
        const std::size_t length = sequence_length(text.substr(i));
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::optional<FileName> FileName::parse(std::string_view raw) {
    if (raw.size() > longest_component - companion_suffix || !legal_path_component(raw))
        return std::nullopt;
    return FileName(std::string(raw));
}

}  // namespace pep381d
