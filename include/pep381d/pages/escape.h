// Text as it may stand in the pages' HTML, which is XML at the same time.
#pragma once

#include <string>
#include <string_view>

namespace pep381d {

// Appends the text so that it may stand between tags and between double quotes. `text`: UTF-8.
// Characters that XML 1.0 does not allow at all (section 2.2) are dropped.
void append_xml(std::string& out, std::string_view text);

}  // namespace pep381d
