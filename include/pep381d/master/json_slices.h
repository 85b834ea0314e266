// The raw texts of the members of a JSON object, or of the elements of an array. It checks nothing:
// the text must be valid JSON without white space between its tokens.
#pragma once

#include <cstddef>
#include <string_view>

namespace pep381d {

class JsonSlices {
  public:
    // `container`: with its brackets. The slices point into it.
    explicit JsonSlices(std::string_view container) : container_(container) {}

    // Goes to the next member or element; false after the last.
    bool next();

    std::string_view text() const { return text_; }    // `"key":value`, or the element
    std::string_view value() const { return value_; }  // the value alone

  private:
    std::string_view container_;
    std::size_t at_ = 0;
    std::string_view text_;
    std::string_view value_;
};

}  // namespace pep381d
