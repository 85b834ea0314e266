// The name of a distribution file, legal as the last component of a path.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

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

}  // namespace pep381d
