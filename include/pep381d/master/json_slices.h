// Walks over the members of a JSON object or the elements of an array, and gives their raw texts.
// It does not check JSON: where the text is valid the slices are right, and whatever it is they lie
// within it.
#pragma once

#include <cstddef>
#include <string_view>

namespace pep381d {

class JsonSlices {
  public:
    // `container` begins with the opening bracket; it may go on behind the closing one. The slices
    // point into it.
    explicit JsonSlices(std::string_view container) : container_(container) {}

    // Goes to the next member or element; false behind the last one, and where this is no JSON.
    bool next();

    std::string_view key() const { return slice(first_, key_end_); }  // a member's, with quotes
    // All of the text from the value on. It costs nothing, while the value's end must be looked
    // for.
    std::string_view rest() const { return container_.substr(value_); }
    // Tells where the value ends, where the caller has found that out already.
    void value_has(std::size_t size) { at_ = value_ + size; }

    std::string_view value() { return slice(value_, end()); }
    std::string_view text() { return slice(first_, end()); }  // `"key":value`, or the element

    // After next() gave false: the size of the container with its brackets; 0 where it is not
    // closed.
    std::size_t size() const { return closed_ ? at_ : 0; }
    // Some blank stands between the tokens seen so far.
    bool spaced() const { return spaced_; }

  private:
    std::string_view slice(std::size_t from, std::size_t to) const {
        return container_.substr(from, to - from);
    }
    std::size_t end();
    char skip_blanks();
    bool begin();
    void pass_value();

    std::string_view container_;
    std::size_t at_ = 0;
    std::size_t first_ = 0;
    std::size_t key_end_ = 0;
    std::size_t value_ = 0;
    bool closed_ = false;
    bool spaced_ = false;
};

}  // namespace pep381d
