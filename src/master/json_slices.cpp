#include "pep381d/master/json_slices.h"

namespace pep381d {

namespace {

// `at`: the opening quote; gives the place after the closing one.
std::size_t string_end(std::string_view json, std::size_t at) {
    while ((at = json.find('"', at + 1)) != std::string_view::npos) {
        std::size_t escapes = 0;
        while (json[at - 1 - escapes] == '\\') ++escapes;
        if (escapes % 2 == 0) return at + 1;
    }
    return json.size();
}

std::size_t value_end(std::string_view json, std::size_t at) {
    std::size_t open = 0;
    while (at < json.size()) {
        const char c = json[at];
        if (c == '"') {
            at = string_end(json, at);
            if (open == 0) return at;
            continue;
        }
        if (c == ',' && open == 0) return at;
        if (c == '{' || c == '[') ++open;
        if (c == '}' || c == ']') {
            if (open == 0) return at;
            if (--open == 0) return at + 1;
        }
        ++at;
    }
    return json.size();
}

}  // namespace

bool JsonSlices::next() {
    ++at_;  // the opening bracket or a comma
    if (at_ + 1 >= container_.size()) return false;
    const std::size_t first = at_;
    if (container_.front() == '{') at_ = string_end(container_, at_) + 1;
    const std::size_t value = at_;
    at_ = value_end(container_, value);
    text_ = container_.substr(first, at_ - first);
    value_ = container_.substr(value, at_ - value);
    return true;
}

}  // namespace pep381d
