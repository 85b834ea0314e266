// The name of a distribution file, legal as the last component of a path.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/model/project_name.h"

namespace pep381d {

// True for valid UTF-8 without control characters, `/` and `\`, of 1 to 255 bytes, that does not
// begin with a dot.
bool legal_path_component(std::string_view text);

// Not a check of PEP 427 or 625: old files have all sorts of names, and a mirror carries them all.
class FileName {
  public:
    // Nothing for a name that could not be stored, its `.metadata` companion (PEP 658) included.
    static std::optional<FileName> parse(std::string_view raw);

    const std::string& text() const { return text_; }
    auto operator<=>(const FileName&) const = default;

  private:
    explicit FileName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// The projects that a file of this name may belong to, the likeliest first: `foo` of
// `foo-1.0-py3-none-any.whl`, `foo-bar` and `foo` of `foo-bar-1.0.tar.gz`.
std::vector<ProjectName> likely_projects(std::string_view file_name);

// The name is one of those that the project's files have.
bool speaks_of(std::string_view file_name, const ProjectName& project);

}  // namespace pep381d
