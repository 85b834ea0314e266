// A set of bytes, and where a text first meets it: most texts are scanned for what they do not
// have.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace pep381d {

class ByteSet {
  public:
    constexpr ByteSet& add(std::string_view bytes) {
        for (const char c : bytes) has_[static_cast<unsigned char>(c)] = 1;
        return *this;
    }
    constexpr ByteSet& add(unsigned char first, unsigned char last) {
        for (std::size_t c = first; c <= last; ++c) has_[c] = 1;
        return *this;
    }
    constexpr ByteSet complement() const {
        ByteSet other;
        for (std::size_t c = 0; c < has_.size(); ++c) other.has_[c] = has_[c] == 0 ? 1 : 0;
        return other;
    }

    bool has(char c) const { return has_[static_cast<unsigned char>(c)] != 0; }

    // Where the first of these bytes stands, from `from` on; the text's size where none does.
    std::size_t find_in(std::string_view text, std::size_t from = 0) const {
        std::size_t i = from;
        for (; i + 8 <= text.size() && !any(text.data() + i); i += 8) {
        }
        while (i < text.size() && !has(text[i])) ++i;
        return i;
    }

  private:
    // Of eight bytes, with one branch.
    bool any(const char* text) const {
        const auto at = [&](std::size_t i) { return has_[static_cast<unsigned char>(text[i])]; };
        return (at(0) | at(1) | at(2) | at(3) | at(4) | at(5) | at(6) | at(7)) != 0;
    }

    std::array<unsigned char, 256> has_{};
};

// Letters and digits of ASCII.
inline constexpr ByteSet alphanumeric = ByteSet().add('a', 'z').add('A', 'Z').add('0', '9');

}  // namespace pep381d
