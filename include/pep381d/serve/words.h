// The lexical pieces of requests: list members, tokens, percent escapes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pep381d {

// Without blanks at either end.
std::string_view trimmed(std::string_view text);

// Cuts the text at the separator: returns what stands before it, trimmed; `rest` keeps what stands
// behind.
std::string_view next_word(std::string_view& rest, char separator);

// Equal but for the case of ASCII letters.
bool same_word(std::string_view a, std::string_view b);

// `%41` is `A`; nothing where a `%` is not followed by two hexadecimal digits. Decodes once.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace pep381d
