#include "pep381d/master/html_stream.h"

#include <algorithm>
#include <exception>
#include <libxml/HTMLparser.h>
#include <new>
#include <strings.h>
#include <utility>

#include "pep381d/base/text.h"

namespace pep381d {

namespace {

// libxml2 compares each attribute of a tag with all before it, and an end tag with all open
// elements: what a page makes of time is bounded by these.
constexpr std::size_t least_piece = 4 * 1024, longest_piece = 16 * 1024;
constexpr std::ptrdiff_t most_markup = 16 * 1024;
constexpr std::ptrdiff_t most_text = 1024 * 1024;  // between two tags: libxml2 waits for its end
constexpr int deepest = 200;

constexpr std::string_view root = "<html>";

constexpr std::size_t longest_text = 4 * 1024;
constexpr std::size_t longest_tail = 1024;  // in which the end of the page is looked for

// Others are not handed out: a page may have millions.
constexpr std::string_view known_attributes[] = {"href",
                                                 "rel",
                                                 "name",
                                                 "content",
                                                 "data-core-metadata",
                                                 "data-dist-info-metadata",
                                                 "data-requires-python",
                                                 "data-yanked",
                                                 "data-provenance",
                                                 "data-gpg-sig"};

constexpr const char* two_pages = "something follows behind its end, as where two pages are one";
constexpr const char* cut_off =
    "it does not end with </html>: it was cut off, or it is no page of an index";

// A quote or `-->` that is missing: all that follows is inside, what looks like the end too.
constexpr const char* without_end = "a tag or comment in it does not end";

Failure corrupt(const char* what) {
    return Failure{Fault::corrupt, what};
}

std::string_view view(const xmlChar* text) {
    return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

// libxml2 would write to stderr.
void say_nothing(void*, const char*, ...) {}

bool ends_with_tag(std::string_view text, std::string_view tag) {
    return text.size() >= tag.size() &&
           ::strncasecmp(text.data() + text.size() - tag.size(), tag.data(), tag.size()) == 0;
}

// Whether that is how a whole page ends. `comments`: those behind its end, the last one first.
bool is_end(std::string_view tail, std::vector<std::string_view>& comments) {
    for (;;) {
        tail = trim(tail);
        if (!tail.ends_with("-->")) break;
        const auto begin = tail.rfind("<!--");
        if (begin == std::string_view::npos || begin + 7 > tail.size()) return false;
        comments.push_back(tail.substr(begin + 4, tail.size() - begin - 7));
        tail = tail.substr(0, begin);
    }
    return ends_with_tag(tail, "</html>") || ends_with_tag(tail, "</body>");
}

// Where tags and comments end.
class Markup {
  public:
    // True: one ends with this character.
    bool step(char c) {
        if (!inside_) {
            if (c == '<') {
                *this = {};
                inside_ = true;
            }
            return false;
        }
        constexpr std::string_view dashes = "!--";
        if (length_ < dashes.size())
            comment_ = comment_ && c == dashes[length_];
        else if (comment_)
            return step_in_comment(c);
        ++length_;
        if (c == quote_)
            quote_ = 0;
        else if (quote_ == 0 && before_ == '=' && (c == '"' || c == '\''))
            quote_ = c;
        else if (quote_ == 0 && c == '>')
            inside_ = false;
        if (!trim({&c, 1}).empty()) before_ = c;
        return !inside_;
    }

  private:
    bool step_in_comment(char c) {
        inside_ = c != '>' || dashes_ < 2;
        dashes_ = c == '-' ? dashes_ + 1 : 0;
        return !inside_;
    }

    bool inside_ = false;
    bool comment_ = true;     // as far as can be told
    std::size_t length_ = 0;  // of what follows the `<`
    int dashes_ = 0;          // that a comment ends with so far
    char quote_ = 0;          // of the value that it is in
    char before_ = 0;         // the last one that was no white space
};

// Whether the tag or comment that this begins with ends in it.
bool has_end(std::string_view markup) {
    Markup one;
    return std::any_of(markup.begin(), markup.end(), [&](char c) { return one.step(c); });
}

// Whether what looks like the end of the page stands in a tag or comment that has none.
bool ends_inside(std::string_view unparsed) {
    std::vector<std::string_view> ignored;
    return unparsed.starts_with('<') && !has_end(unparsed) && is_end(unparsed, ignored);
}

}  // namespace

const std::string* HtmlElement::attribute(std::string_view name) const {
    const auto found = std::find_if(attributes.begin(), attributes.end(),
                                    [&](const auto& one) { return one.first == name; });
    return found == attributes.end() ? nullptr : &found->second;
}

struct HtmlStream::Parser {
    explicit Parser(Handlers to) : handlers(std::move(to)) {
        static const bool ready = [] {
            xmlInitParser();
            return true;
        }();
        (void)ready;
        sax.startElement = [](void* self, const xmlChar* name, const xmlChar** attributes) {
            of(self).guarded([&](Parser& parser) { parser.start(view(name), attributes); });
        };
        sax.endElement = [](void* self, const xmlChar* name) {
            of(self).guarded([&](Parser& parser) { parser.end(view(name)); });
        };
        sax.characters = sax.cdataBlock =
            sax.ignorableWhitespace = [](void* self, const xmlChar* text, int size) {
                of(self).guarded([&](Parser& parser) {
                    parser.characters({reinterpret_cast<const char*>(text),
                                       static_cast<std::size_t>(std::max(size, 0))});
                });
            };
        sax.error = sax.warning = sax.fatalError = say_nothing;
        // Only with this mark libxml2 tells what is wrong by number.
        sax.initialized = XML_SAX2_MAGIC;
        sax.serror = [](void* self, auto* error) {
            if (error->code == XML_ERR_ATTRIBUTE_REDEFINED) of(self).repeated = true;
        };
        context = htmlCreatePushParserCtxt(&sax, this, nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8);
        if (context == nullptr) throw std::bad_alloc();
        htmlCtxtUseOptions(context, HTML_PARSE_NOIMPLIED | HTML_PARSE_IGNORE_ENC |
                                        HTML_PARSE_NONET | HTML_PARSE_NOERROR |
                                        HTML_PARSE_NOWARNING);
        // A page need not have this tag, or has something before it. Without, libxml2 stops where
        // the first element ends.
        (void)htmlParseChunk(context, root.data(), static_cast<int>(root.size()), 0);
    }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;
    ~Parser() { htmlFreeParserCtxt(context); }

    static Parser& of(void* self) { return *static_cast<Parser*>(self); }

    // No exception may pass through the parser's frames.
    template <class Call>
    void guarded(Call call) {
        if (failure || thrown) return;
        try {
            call(*this);
        } catch (...) {
            thrown = std::current_exception();
        }
        if (failure || thrown) xmlStopParser(context);
    }

    void start(std::string_view name, const xmlChar** attributes) {
        if (++depth > deepest) {
            failure = corrupt("its elements stand in hundreds of others");
            return;
        }
        HtmlElement read;
        read.repeated = std::exchange(repeated, false);
        const bool anchor = name == "a";
        // A link in a link: the outer one ends here, as in browsers.
        if (anchor && in_anchor) end_anchor();
        if (name == "title" || name == "h1") {
            in_heading = true;
            heading.clear();
        }
        if (!anchor && name != "base" && name != "meta") return;
        for (; attributes != nullptr && attributes[0] != nullptr; attributes += 2)
            if (std::ranges::find(known_attributes, view(attributes[0])) !=
                std::end(known_attributes))
                read.attributes.emplace_back(view(attributes[0]), view(attributes[1]));
        if (anchor) {
            element = std::move(read);
            in_anchor = true;
        } else if (name == "base" && handlers.on_base) {
            handlers.on_base(read);
        } else if (name == "meta" && handlers.on_meta) {
            handlers.on_meta(read);
        }
    }

    void end(std::string_view name) {
        --depth;
        if (name == "a" && in_anchor) end_anchor();
        if ((name == "title" || name == "h1") && in_heading) {
            in_heading = false;
            if (handlers.on_heading) handlers.on_heading(heading);
        }
    }

    void end_anchor() {
        in_anchor = false;
        if (handlers.on_anchor) handlers.on_anchor(element);
    }

    void characters(std::string_view text) {
        if (in_anchor) element.text += text.substr(0, longest_text - element.text.size());
        if (in_heading) heading += text.substr(0, longest_text - heading.size());
    }

    // `last`: nothing follows.
    Done take(std::string_view piece, bool last) {
        if (!failure && htmlParseChunk(context, piece.data(), static_cast<int>(piece.size()),
                                       last ? 1 : 0) == XML_ERR_DOCUMENT_END)
            goes_on = true;
        if (thrown) std::rethrow_exception(thrown);
        if (!failure && context->input != nullptr) bound(*context->input);
        if (failure) return *failure;
        return Nothing{};
    }

    // What it has not taken yet, mostly because it waits for the end of a tag.
    std::string_view unparsed() const {
        const xmlParserInput* input = context->input;
        if (input == nullptr || input->cur >= input->end) return {};
        return view(input->cur).substr(0, static_cast<std::size_t>(input->end - input->cur));
    }

    void bound(const xmlParserInput& input) {
        const auto unparsed = input.end - input.cur;
        const bool markup = unparsed > 0 && *input.cur == '<';
        if (markup && unparsed > most_markup)
            failure =
                corrupt(depth == 0 ? two_pages : "a tag or comment of it has more than 16 KiB");
        if (unparsed > most_text) failure = corrupt("a text of it has more than 1 MiB");
    }

    Handlers handlers;
    htmlSAXHandler sax{};
    htmlParserCtxtPtr context = nullptr;
    std::optional<Failure> failure;
    std::exception_ptr thrown;
    int depth = 0;
    bool in_anchor = false;
    bool in_heading = false;
    bool goes_on = false;   // behind the end of the outermost element, and was not read there
    bool repeated = false;  // an attribute of the tag that is being read
    HtmlElement element;
    std::string heading;
    // What libxml2 makes of broken HTML depends on where it is cut: it gets the same pieces however
    // the page arrives. Cut in the value of an attribute, its 2.9 may look for the end of that tag
    // until the page ends.
    std::string pending;
    Markup scanned;  // behind `pending`
    std::string tail;
};

HtmlStream::HtmlStream(Handlers handlers)
    : parser_(std::make_unique<Parser>(std::move(handlers))) {}
HtmlStream::~HtmlStream() = default;

Done HtmlStream::feed(std::string_view piece) {
    std::string& tail = parser_->tail;
    tail += piece.size() > longest_tail ? piece.substr(piece.size() - longest_tail) : piece;
    if (tail.size() > longest_tail) tail.erase(0, tail.size() - longest_tail);
    std::string& pending = parser_->pending;
    while (!piece.empty()) {
        std::size_t taken = 0;
        bool enough = false;
        while (!enough && taken < piece.size()) {
            const bool ends = parser_->scanned.step(piece[taken++]);
            const std::size_t size = pending.size() + taken;
            enough = size >= (ends ? least_piece : longest_piece);
        }
        pending += piece.substr(0, taken);
        piece.remove_prefix(taken);
        if (!enough) break;
        if (pending.size() == longest_piece) parser_->scanned = {};  // it may be none
        if (Done done = parser_->take(pending, false); !done) return done;
        pending.clear();
    }
    return Nothing{};
}

Done HtmlStream::finish() {
    if (Done taken = parser_->take(parser_->pending, false); !taken) return taken;
    const bool open = ends_inside(parser_->unparsed());
    if (Done taken = parser_->take({}, true); !taken) return taken;
    // Not by the parser: behind the end it passes by what stands in one piece with white space.
    std::vector<std::string_view> comments;
    if (!is_end(parser_->tail, comments))
        parser_->failure = corrupt(cut_off);
    else if (open)
        parser_->failure = corrupt(without_end);
    else if (parser_->goes_on)
        parser_->failure = corrupt(two_pages);
    if (parser_->failure) return *parser_->failure;
    if (parser_->handlers.on_comment)
        for (const std::string_view comment : comments) parser_->handlers.on_comment(comment);
    return Nothing{};
}

}  // namespace pep381d
