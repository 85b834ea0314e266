// JSON allows numbers of any size and halves of surrogate pairs (RFC 8259, sections 6 and 8.2);
// simdjson refuses a whole text for one of them, and with it a project's page.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pep381d {

// The text with a stand-in of the same length in the place of each such number (one that is no
// integer) and of each such half (U+0000, which is legal in no name and no URL), so that it can be
// parsed, and what was found in it be sought in the original. Nothing where there is none of them.
// It checks no more JSON than it must.
std::optional<std::string> with_stand_ins(std::string_view json);

}  // namespace pep381d
