#include "pep381d/master/element_stream.h"

namespace pep381d {

namespace {

// Of an item, and of the frame. PyPI's longest journal row has a few hundred bytes.
constexpr std::size_t longest = 64 * 1024;
constexpr std::string_view blanks = " \t\r\n";

Failure corrupt(std::string what) {
    return Failure{Fault::corrupt, std::move(what)};
}

bool is_blank(char c) {
    return blanks.find(c) != std::string_view::npos;
}

bool same_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c =
            text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
        if (c != lower[i]) return false;
    }
    return true;
}

std::string_view element_name(std::string_view markup) {
    markup.remove_prefix(1);
    return markup.substr(0, markup.find_first_of(" \t\r\n/>"));
}

Failure other_document(std::string_view first_element) {
    if (same_ignoring_case(first_element, "html")) return corrupt("an HTML page came, not XML-RPC");
    return corrupt("XML came that is not XML-RPC");
}

}  // namespace

Done ElementStream::feed(std::string_view piece) {
    if (failure_) return *failure_;
    Done done = take(piece);
    if (!done) failure_ = done.failure();
    return done;
}

Outcome<std::string> ElementStream::finish() {
    if (failure_) return *failure_;
    if (!root_seen_ && !in_markup_) return corrupt("an empty answer came");
    if (depth_ > 0 || in_markup_) return corrupt("the answer ends in the middle");
    return std::move(frame_);
}

Done ElementStream::take(std::string_view piece) {
    while (!piece.empty()) {
        if (!in_markup_) {
            const std::string_view text = piece.substr(0, piece.find('<'));
            if (Done done = add_text(text); !done) return done;
            piece.remove_prefix(text.size());
            if (piece.empty()) break;
            in_markup_ = true;
            markup_at_ = buffer().size();
        }
        const auto end = piece.find('>');
        const std::string_view part =
            piece.substr(0, end == std::string_view::npos ? end : end + 1);
        if (Done done = append(part); !done) return done;
        piece.remove_prefix(part.size());
        if (end == std::string_view::npos || !markup_complete()) continue;
        in_markup_ = false;
        item_begins_ = false;
        if (Done done = end_markup(); !done) return done;
        if (item_begins_ && quick_) piece.remove_prefix(quick_rest(piece));
    }
    return Nothing{};
}

std::size_t ElementStream::quick_rest(std::string_view rest) {
    // No more of it than the slow way takes, wherever the pieces are cut.
    const std::size_t size = quick_(rest.substr(0, longest - item_.size()));
    if (size == 0) return 0;
    --depth_;
    matched_ = depth_;
    item_.clear();
    in_item_ = false;
    return size;
}

Done ElementStream::append(std::string_view text) {
    if (buffer().size() + text.size() > longest)
        return corrupt(in_item_ ? "an element is longer than 64 KiB"
                                : "more than 64 KiB lie around the values");
    buffer() += text;
    return Nothing{};
}

Done ElementStream::add_text(std::string_view text) {
    if (in_item_) return append(text);
    if (depth_ == 0) {
        const auto first = text.find_first_not_of(blanks);
        if (first == std::string_view::npos) return Nothing{};
        if (root_seen_) return corrupt("text follows the end of the answer");
        const bool json = text[first] == '{' || text[first] == '[';
        return corrupt(json ? "JSON came, not XML-RPC" : "plain text came, not XML-RPC");
    }
    // Millions of line ends between the items must not fill the frame.
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_blank(text[i]) && !frame_.empty() && is_blank(frame_.back())) continue;
        if (Done done = append(text.substr(i, 1)); !done) return done;
    }
    return Nothing{};
}

bool ElementStream::markup_complete() {
    const std::string_view markup = std::string_view(buffer()).substr(markup_at_);
    if (markup.starts_with("<!--")) return markup.size() >= 7 && markup.ends_with("-->");
    if (markup.starts_with("<![CDATA[")) return markup.size() >= 12 && markup.ends_with("]]>");
    if (markup.starts_with("<?")) return markup.size() >= 4 && markup.ends_with("?>");
    return true;
}

Done ElementStream::end_markup() {
    const std::string_view markup = std::string_view(buffer()).substr(markup_at_);
    if (markup.starts_with("<?") || markup.starts_with("<!--")) {
        buffer().resize(markup_at_);
        return Nothing{};
    }
    if (markup.starts_with("<![CDATA["))
        return depth_ > 0 ? Done(Nothing{}) : Done(corrupt("text stands outside of the answer"));
    if (markup.starts_with("<!")) {
        constexpr std::string_view html = "<!doctype html";
        if (same_ignoring_case(markup.substr(0, html.size()), html)) return other_document("html");
        return corrupt("a DOCTYPE came, which XML-RPC does not have");
    }
    return markup.starts_with("</") ? close_element() : open_element(markup);
}

Done ElementStream::open_element(std::string_view markup) {
    const std::string_view name = element_name(markup);
    const bool empty = markup.ends_with("/>");
    if (depth_ == 0) {
        if (root_seen_) return corrupt("a second document follows the answer");
        if (name != path_.front()) return other_document(name);
        root_seen_ = true;
    }
    if (matched_ == depth_ && depth_ < path_.size() && name == path_[depth_]) ++matched_;
    ++depth_;
    if (!in_item_ && depth_ == path_.size() && matched_ == depth_) {
        item_.assign(frame_, markup_at_);
        frame_.resize(markup_at_);
        in_item_ = true;
        item_begins_ = !empty;
    }
    return empty ? close_element() : Nothing{};
}

Done ElementStream::close_element() {
    if (depth_ == 0) return corrupt("an end tag stands outside of the answer");
    --depth_;
    if (matched_ > depth_) matched_ = depth_;
    if (!in_item_ || depth_ >= path_.size()) return Nothing{};
    Done done = item_callback_(item_);
    item_.clear();
    in_item_ = false;
    return done;
}

}  // namespace pep381d
