// Reads HTML as it arrives, in bounded memory, and hands out what an index is made of: anchors,
// what is said about the page itself, and its end. Over libxml2's HTML parser, which reads what
// browsers read; that nothing is missing is for this to say: HTML that was cut off is HTML too, of
// fewer links. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pep381d/base/outcome.h"

namespace pep381d {

// In UTF-8, with character references resolved.
struct HtmlElement {
    // Those that an index has, names in lower case, each once; an attribute without a value has an
    // empty one.
    std::vector<std::pair<std::string, std::string>> attributes;
    bool repeated = false;  // one stood there twice: browsers take the first, Python the last
    std::string text;       // inside of it, at most some kilobytes

    const std::string* attribute(std::string_view name) const;  // null: it has none
};

class HtmlStream {
  public:
    // Called in the order of the page. What they throw comes out of feed() or finish().
    struct Handlers {
        std::function<void(HtmlElement&)> on_anchor;       // at its end
        std::function<void(const HtmlElement&)> on_base;   // <base>
        std::function<void(const HtmlElement&)> on_meta;   // <meta>
        std::function<void(std::string_view)> on_heading;  // text of <title> or <h1>
        // Those behind the end of the page, by finish(): there PyPI writes its serial.
        std::function<void(std::string_view)> on_comment;
    };
    explicit HtmlStream(Handlers handlers);
    ~HtmlStream();

    // Fails with Fault::corrupt, then and in every later call, on what no index is: elements in
    // hundreds of others, a tag of tens of kilobytes.
    Done feed(std::string_view piece);
    // Fails with Fault::corrupt where the page does not end as a whole one does, with </html> or
    // </body>; behind it, only comments and white space may stand. An end inside of a tag or
    // comment is none.
    Done finish();

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace pep381d
