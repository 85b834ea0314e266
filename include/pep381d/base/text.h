// Text cut into parts.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace pep381d {

// Blanks are space, tab, carriage return and newline.
std::string_view trim(std::string_view text);
std::vector<std::string_view> words(std::string_view text);

// Bytes of the UTF-8 sequence at the front of a text that is not empty; 0 where there is none (RFC
// 3629: no surrogates, no overlong forms).
std::size_t utf8_length(std::string_view text);

// The same, but 0 too for what would show people another text than it is: control characters (of
// ASCII and U+0080 to U+009F), line separators, and those that turn the direction of writing
// (Unicode TR 36, 2.8).
std::size_t shown_length(std::string_view text);

}  // namespace pep381d
