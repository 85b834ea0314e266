#include "pep381d/model/project_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <string_view>

namespace pep381d {

namespace {

using namespace std::chrono;

// Reads exactly `digits` decimal digits at `at`.
std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
    if (text.size() < at + digits) return std::nullopt;
    int value = 0;
    const char* first = text.data() + at;
    const auto [end, error] = std::from_chars(first, first + digits, value);
    if (error != std::errc{} || end != first + digits || *first == '-') return std::nullopt;
    return value;
}

// With zeros before it where it has fewer digits.
void append_number(std::string& out, std::int64_t value, std::size_t least = 0) {
    std::array<char, 20> text;  // the longest: -9223372036854775808
    const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    const auto size = static_cast<std::size_t>(end - text.data());
    if (size < least) out.append(least - size, '0');
    out.append(text.data(), size);
}

constexpr auto escaped_in_json = [] {
    std::array<bool, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
    table['"'] = table['\\'] = true;
    return table;
}();

void append_escaped(std::string& out, char c) {
    static constexpr char digits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += '\\';
    switch (c) {
        case '"':
        case '\\':
            out += c;
            break;
        case '\n':
            out += 'n';
            break;
        case '\r':
            out += 'r';
            break;
        case '\t':
            out += 't';
            break;
        default:
            out += "u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
    }
}

void append_string_or_null(std::string& out, const std::optional<std::string>& text) {
    if (text)
        append_json_string(out, *text);
    else
        out += "null";
}

}  // namespace

bool names_may_repeat(const std::vector<File>& files) {
    std::vector<std::size_t> hashes;
    hashes.reserve(files.size());
    for (const File& file : files)
        hashes.push_back(std::hash<std::string_view>{}(file.name.text()));
    std::sort(hashes.begin(), hashes.end());
    return std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end();
}

void append_usual_members(std::string& out, const File& file) {
    out += R"("hashes":{)";
    if (!file.digests.empty()) {
        out += '"';
        out += name_of(file.digests.front().algorithm);
        out += R"(":")";
        append_hex(out, file.digests.front().bytes);
        out += '"';
    }
    out += R"(},"provenance":)";
    append_string_or_null(out, file.provenance);
    out += R"(,"requires-python":)";
    append_string_or_null(out, file.requires_python);
    if (file.size) {
        out += R"(,"size":)";
        append_number(out, *file.size);
    }
    if (file.upload_time) {
        out += R"(,"upload-time":")";
        append_upload_time(out, *file.upload_time);
        out += '"';
    }
    out += R"(,"yanked":)";
    if (file.yanked_reason.empty())
        out += file.yanked ? "true" : "false";
    else
        append_json_string(out, file.yanked_reason);
}

std::optional<std::int64_t> parse_upload_time(std::string_view text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    if (text.size() < shape.size() + 1 || text.back() != 'Z') return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != '0' && text[i] != shape[i]) return std::nullopt;
    const auto year_ = number(text, 0, 4), month_ = number(text, 5, 2), day_ = number(text, 8, 2);
    const auto h = number(text, 11, 2), m = number(text, 14, 2), s = number(text, 17, 2);
    if (!year_ || !month_ || !day_ || !h || !m || !s || *h > 23 || *m > 59 || *s > 60)
        return std::nullopt;
    const year_month_day date{year{*year_}, month{static_cast<unsigned>(*month_)},
                              day{static_cast<unsigned>(*day_)}};
    if (!date.ok()) return std::nullopt;

    std::int64_t fraction = 0;
    const std::string_view rest = text.substr(shape.size(), text.size() - shape.size() - 1);
    if (!rest.empty()) {
        if (rest[0] != '.' || rest.size() < 2 || rest.size() > 7) return std::nullopt;
        const auto digits = number(rest, 1, rest.size() - 1);
        if (!digits) return std::nullopt;
        fraction = *digits;
        for (std::size_t i = rest.size() - 1; i < 6; ++i) fraction *= 10;
    }
    const sys_seconds seconds = sys_days{date} + hours{*h} + minutes{*m} + std::chrono::seconds{*s};
    return duration_cast<microseconds>(seconds.time_since_epoch()).count() + fraction;
}

void append_upload_time(std::string& out, std::int64_t time) {
    const sys_time<microseconds> instant{microseconds{time}};
    const auto days_ = floor<days>(instant);
    const year_month_day date{days_};
    const hh_mm_ss clock{instant - days_};
    append_number(out, int{date.year()}, 4);
    out += '-';
    append_number(out, unsigned{date.month()}, 2);
    out += '-';
    append_number(out, unsigned{date.day()}, 2);
    out += 'T';
    append_number(out, clock.hours().count(), 2);
    out += ':';
    append_number(out, clock.minutes().count(), 2);
    out += ':';
    append_number(out, clock.seconds().count(), 2);
    if (const auto fraction = clock.subseconds().count(); fraction != 0) {
        out += '.';
        append_number(out, fraction, 6);
    }
    out += 'Z';
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t copied = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!escaped_in_json[static_cast<unsigned char>(text[i])]) continue;
        out += text.substr(copied, i - copied);
        append_escaped(out, text[i]);
        copied = i + 1;
    }
    out += text.substr(copied);
    out += '"';
}

std::string json_string(std::string_view text) {
    std::string json;
    json.reserve(text.size() + 2);
    append_json_string(json, text);
    return json;
}

}  // namespace pep381d
