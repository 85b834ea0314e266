// What the targets share. A target is one function that takes bytes of a stranger and asserts what
// holds whatever they are; libFuzzer looks for bytes for which it does not, and replay.cpp gives it
// the corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

// Where it does not hold, the input is a finding.
inline void require(bool holds, const char* what, std::string_view about = "") {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s: %.*s\n", what, static_cast<int>(about.size()),
                 about.data());
    std::abort();
}

inline std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return lines;
}

// What a terminal, a log file or a header would take for something else than text.
inline bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0xff);
        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next < 0xa0)) return true;
    }
    return false;
}

// Cuts the text into pieces of 1 to `most` bytes, always in the same way.
template <class Take>
void in_pieces(std::string_view text, std::size_t most, Take take) {
    std::uint32_t random = 12345;
    while (!text.empty()) {
        random = random * 1664525U + 1013904223U;
        const std::size_t size = 1 + (random >> 8) % most;
        take(text.substr(0, size));
        text.remove_prefix(size < text.size() ? size : text.size());
    }
}

}  // namespace fuzz

// Each target's own.
void fuzz_one(std::string_view input);
