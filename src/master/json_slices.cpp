#include "pep381d/master/json_slices.h"

#include <algorithm>

namespace pep381d {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// `at`: the opening quote; gives the place after the closing one.
std::size_t string_end(std::string_view json, std::size_t at) {
    while ((at = json.find('"', at + 1)) != std::string_view::npos) {
        std::size_t escapes = 0;
        while (json[at - 1 - escapes] == '\\') ++escapes;
        if (escapes % 2 == 0) return at + 1;
    }
    return json.size();
}

}  // namespace

// The character that follows; 0 at the end.
char JsonSlices::skip_blanks() {
    while (at_ < container_.size() && is_blank(container_[at_])) {
        spaced_ = true;
        ++at_;
    }
    return at_ < container_.size() ? container_[at_] : '\0';
}

bool JsonSlices::next() {
    const bool more = begin();
    if (!more) first_ = key_end_ = value_ = at_;
    return more;
}

bool JsonSlices::begin() {
    if (closed_ || container_.empty()) return false;
    const bool object = container_.front() == '{';
    const bool start = at_ == 0;
    if (start)
        at_ = 1;
    else
        at_ = end();
    const char found = skip_blanks();
    if (found == (object ? '}' : ']')) {
        ++at_;
        closed_ = true;
        return false;
    }
    if (!start) {
        if (found != ',') return false;
        ++at_;
        skip_blanks();
    }
    first_ = key_end_ = at_;
    if (object) {
        if (skip_blanks() != '"') return false;
        at_ = key_end_ = string_end(container_, at_);
        if (skip_blanks() != ':') return false;
        ++at_;
        skip_blanks();
    }
    value_ = at_;
    return at_ < container_.size();
}

std::size_t JsonSlices::end() {
    if (at_ == value_) pass_value();
    return at_;
}

void JsonSlices::pass_value() {
    std::size_t open = 0;
    while (at_ < container_.size()) {
        const char c = container_[at_];
        if (c == '"') {
            at_ = string_end(container_, at_);
            if (open == 0) return;
            continue;
        }
        if (open == 0 && (c == ',' || is_blank(c))) return;
        if (is_blank(c)) spaced_ = true;
        if (c == '{' || c == '[') ++open;
        if (c == '}' || c == ']') {
            if (open == 0) return;
            if (--open == 0) {
                ++at_;
                return;
            }
        }
        ++at_;
    }
}

}  // namespace pep381d
