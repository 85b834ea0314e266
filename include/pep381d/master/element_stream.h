// Cuts an XML document that arrives in pieces into items (the elements at one path) and a frame
// (all the rest), so that a document of any length is read in the memory of one item. It knows tags
// only: whether items and frame are well-formed, each for itself, is for an XML parser to say. No
// attribute may contain `>`; a DOCTYPE is refused.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"

namespace pep381d {

class ElementStream {
  public:
    // Called with each item, from its start tag to its end tag; the text may be overwritten (parsed
    // in place).
    using Item = std::function<Done(std::string& text)>;
    // Called after an item's start tag with what has arrived behind it. How long the rest of the
    // item is, with its end tag, where the callee has taken it from there: then Item is not called
    // with it. 0 where it has not: it is not all there, or of an unusual form.
    using Quick = std::function<std::size_t(std::string_view rest)>;

    // `path`: the names of the elements from the root down to the item.
    ElementStream(std::vector<std::string> path, Item item, Quick quick = {})
        : path_(std::move(path)), item_callback_(std::move(item)), quick_(std::move(quick)) {}

    // Fails with Fault::corrupt, then and in every later call, as soon as the document cannot be
    // right any more.
    Done feed(std::string_view piece);
    // The frame, without declaration and comments, and with each run of white space cut to its
    // first character.
    Outcome<std::string> finish();

  private:
    std::string& buffer() { return in_item_ ? item_ : frame_; }
    Done take(std::string_view piece);
    Done add_text(std::string_view text);
    Done append(std::string_view text);
    bool markup_complete();
    Done end_markup();
    Done open_element(std::string_view markup);
    Done close_element();
    std::size_t quick_rest(std::string_view rest);

    std::vector<std::string> path_;
    Item item_callback_;
    Quick quick_;
    std::string frame_;
    std::string item_;
    bool in_item_ = false;
    bool item_begins_ = false;  // the last tag was an item's start tag
    bool in_markup_ = false;
    std::size_t markup_at_ = 0;  // where in buffer() the tag starts that is not yet at its end
    std::size_t depth_ = 0;      // open elements
    std::size_t matched_ = 0;    // how many of them, from the root down, are those of path_
    bool root_seen_ = false;
    std::optional<Failure> failure_;
};

}  // namespace pep381d
