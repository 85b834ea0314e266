#include "master/json_stand_in.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace pep381d {

namespace {

constexpr std::string_view decimal = "0123456789";

// The value of the escape `\uXXXX` at the front; 0 where there is none.
unsigned int escape_at(std::string_view text) {
    if (!text.starts_with("\\u") || text.size() < 6) return 0;
    unsigned int value = 0;
    const char* end = text.data() + 6;
    return std::from_chars(text.data() + 2, end, value, 16).ptr == end ? value : 0;
}

bool is_high(unsigned int value) {
    return value >= 0xd800 && value < 0xdc00;
}
bool is_low(unsigned int value) {
    return value >= 0xdc00 && value < 0xe000;
}

// `at`: the opening quote; gives the place behind the closing one.
std::size_t pass_string(std::string& json, std::size_t at, bool& changed) {
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] != '\\') continue;
        const std::string_view rest = std::string_view(json).substr(at);
        const unsigned int value = escape_at(rest);
        if (is_high(value) && is_low(escape_at(rest.substr(6)))) {
            at += 11;
        } else if (is_high(value) || is_low(value)) {
            json.replace(at, 6, "\\u0000");
            changed = true;
            at += 5;
        } else {
            ++at;
        }
    }
    return at + 1;
}

// Cuts digits off the front; false where there are none.
bool cut_digits(std::string_view& text) {
    const std::size_t size = std::min(text.find_first_not_of(decimal), text.size());
    text.remove_prefix(size);
    return size > 0;
}

bool cut(std::string_view& text, std::string_view any_of) {
    const bool found = !text.empty() && any_of.find(text.front()) != std::string_view::npos;
    if (found) text.remove_prefix(1);
    return found;
}

// By its grammar; a number of 64 bits, and nothing else, can be an integer.
bool needs_stand_in(std::string_view number) {
    std::int64_t integer = 0;
    const char* end = number.data() + number.size();
    if (const auto read = std::from_chars(number.data(), end, integer);
        read.ec == std::errc{} && read.ptr == end)
        return false;
    cut(number, "-");
    if (number.size() > 1 && number[0] == '0' && number[1] >= '0' && number[1] <= '9') return false;
    if (!cut_digits(number)) return false;
    if (cut(number, ".") && !cut_digits(number)) return false;
    if (cut(number, "eE")) {
        cut(number, "+-");
        if (!cut_digits(number)) return false;
    }
    return number.empty();
}

std::size_t pass_number(std::string& json, std::size_t at, bool& changed) {
    const std::size_t end = std::min(json.find_first_not_of("0123456789+-.eE", at), json.size());
    if (needs_stand_in(std::string_view(json).substr(at, end - at))) {
        // The shortest that is no integer is `1.0`.
        std::fill(json.begin() + static_cast<std::ptrdiff_t>(at),
                  json.begin() + static_cast<std::ptrdiff_t>(end), '0');
        json[at + 1] = 'e';
        changed = true;
    }
    return end;
}

}  // namespace

std::optional<std::string> with_stand_ins(std::string_view json) {
    std::string text(json);
    bool changed = false;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"')
            at = pass_string(text, at, changed);
        else if (c == '-' || (c >= '0' && c <= '9'))
            at = pass_number(text, at, changed);
        else
            ++at;
    }
    if (!changed) return std::nullopt;
    return text;
}

}  // namespace pep381d
