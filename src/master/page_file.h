// Reads an entry of a page's list of files (PEP 691, 700, 714, 740).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"
#include "pep381d/master/page_link.h"
#include "pep381d/model/project_page.h"

#include "master/json_object.h"

namespace pep381d {

// Appends to members that commas divide.
void append_member(std::string& members, std::string_view text);
void append_object(std::string& members, std::string_view key, JsonMembers inner);

// Nothing where the member is not there or no string.
std::optional<std::string_view> string_of(const JsonMember* member);

class FileReader {
  public:
    // Fails where the file cannot be mirrored.
    Outcome<File> read(JsonMembers members, PageLink& link);

  private:
    // Kept for their memory: members as they are repeated, and as PyPI would write them.
    std::string written_;
    std::string usual_;
};

}  // namespace pep381d
