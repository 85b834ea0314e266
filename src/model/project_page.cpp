#include "pep381d/model/project_page.h"

#include <charconv>
#include <chrono>

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

void append_padded(std::string& text, std::int64_t value, std::size_t digits) {
    const std::string plain = std::to_string(value);
    if (plain.size() < digits) text.append(digits - plain.size(), '0');
    text += plain;
}

}  // namespace

std::string usual_members(const File& file) {
    std::string text = R"("hashes":{)";
    if (!file.digests.empty()) {
        text += '"';
        text += name_of(file.digests.front().algorithm);
        text += R"(":")" + to_hex(file.digests.front().bytes) + '"';
    }
    text += R"(},"provenance":)";
    text += file.provenance ? json_string(*file.provenance) : "null";
    text += R"(,"requires-python":)";
    text += file.requires_python ? json_string(*file.requires_python) : "null";
    if (file.size) text += R"(,"size":)" + std::to_string(*file.size);
    if (file.upload_time)
        text += R"(,"upload-time":")" + format_upload_time(*file.upload_time) + '"';
    text += R"(,"yanked":)";
    if (file.yanked_reason.empty())
        text += file.yanked ? "true" : "false";
    else
        text += json_string(file.yanked_reason);
    return text;
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

std::string format_upload_time(std::int64_t time) {
    const sys_time<microseconds> instant{microseconds{time}};
    const auto days_ = floor<days>(instant);
    const year_month_day date{days_};
    const hh_mm_ss clock{instant - days_};
    std::string text;
    append_padded(text, int{date.year()}, 4);
    text += '-';
    append_padded(text, unsigned{date.month()}, 2);
    text += '-';
    append_padded(text, unsigned{date.day()}, 2);
    text += 'T';
    append_padded(text, clock.hours().count(), 2);
    text += ':';
    append_padded(text, clock.minutes().count(), 2);
    text += ':';
    append_padded(text, clock.seconds().count(), 2);
    if (const auto fraction = clock.subseconds().count(); fraction != 0) {
        text += '.';
        append_padded(text, fraction, 6);
    }
    return text + 'Z';
}

std::string json_string(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string json = "\"";
    json.reserve(text.size() + 2);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (c == '\n') {
            json += "\\n";
        } else if (c == '\r') {
            json += "\\r";
        } else if (c == '\t') {
            json += "\\t";
        } else if (byte < 0x20) {
            json += "\\u00";
            json += digits[byte >> 4];
            json += digits[byte & 15];
        } else {
            json += c;
        }
    }
    return json + '"';
}

}  // namespace pep381d
