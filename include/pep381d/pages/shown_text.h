// Text from outside, made fit to be shown. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pep381d {

// Well-formed UTF-8: what is not, and control characters, become U+FFFD.
std::string shown(std::string_view text);

// The same, escaped for HTML: as text, or within double quotes.
std::string shown_html(std::string_view text);

}  // namespace pep381d
