// A project's name in its one normalized form (PEP 503, "Normalized Names").
//
// Strings stop here: a ProjectName is always legal as a path component, and nothing normalizes
// after it. How the project writes itself (`Foo_Bar`) is kept beside it as the display name where
// somebody needs it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace pep381d {

class ProjectName {
  public:
    // Nothing for a name that the core metadata specification does not allow (letters, digits,
    // `._-`, the latter not at either end) or that is longer than a path component may be.
    static std::optional<ProjectName> parse(std::string_view raw);

    const std::string& text() const { return text_; }
    auto operator<=>(const ProjectName&) const = default;

  private:
    explicit ProjectName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace pep381d
