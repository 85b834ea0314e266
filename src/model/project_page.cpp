#include "pep381d/model/project_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <string_view>

#include "pep381d/base/byte_set.h"

namespace pep381d {

namespace {

using namespace std::chrono;

// Reads exactly `digits` decimal digits at `at`.
std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
    if (text.size() < at + digits) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, digits)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

// Writes just so many digits, and gives the place behind them.
char* put_number(char* to, std::int64_t value, std::size_t digits) {
    for (std::size_t i = digits; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
    return to + digits;
}

constexpr ByteSet escaped_in_json = ByteSet().add(0, 0x1f).add("\"\\");

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

std::optional<Digest> parse_digest(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto algorithm = algorithm_named(text.substr(0, equals));
    if (!algorithm) return std::nullopt;
    const auto bytes = digest_from_hex(text.substr(equals + 1), digest_size(*algorithm));
    if (!bytes) return std::nullopt;
    return Digest{*algorithm, *bytes};
}

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
        out += std::to_string(*file.size);
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
    std::array<char, sizeof("2023-04-04T12:26:47.798446Z")> text;
    char* to = put_number(text.data(), int{date.year()}, 4);
    *to++ = '-';
    to = put_number(to, unsigned{date.month()}, 2);
    *to++ = '-';
    to = put_number(to, unsigned{date.day()}, 2);
    *to++ = 'T';
    to = put_number(to, clock.hours().count(), 2);
    *to++ = ':';
    to = put_number(to, clock.minutes().count(), 2);
    *to++ = ':';
    to = put_number(to, clock.seconds().count(), 2);
    if (const auto fraction = clock.subseconds().count(); fraction != 0) {
        *to++ = '.';
        to = put_number(to, fraction, 6);
    }
    *to++ = 'Z';
    out.append(text.data(), to);
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t copied = 0;
    for (std::size_t i = 0; (i = escaped_in_json.find_in(text, i)) < text.size(); copied = ++i) {
        out += text.substr(copied, i - copied);
        append_escaped(out, text[i]);
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
