#include "support/sample/text.h"

#include <cctype>
#include <cstdio>
#include <ctime>

namespace sample {
namespace {

unsigned char byte(char c) {
    return static_cast<unsigned char>(c);
}

int hex_value(char c) {
    if (!std::isxdigit(byte(c))) return -1;
    return std::isdigit(byte(c)) ? c - '0' : std::tolower(byte(c)) - 'a' + 10;
}

std::tm calendar(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return parts;
}

std::string formatted(const char* format, const std::tm& parts) {
    char text[64];
    return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) c = static_cast<char>(std::tolower(byte(c)));
    return result;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return std::string{text.substr(first, text.find_last_not_of(" \t") - first + 1)};
}

std::string normalized(std::string_view name) {
    std::string result;
    for (const char c : lower(name)) {
        const bool separator = c == '-' || c == '_' || c == '.';
        if (!separator)
            result += c;
        else if (result.empty() || result.back() != '-')
            result += '-';
    }
    return result;
}

std::string underscored(std::string_view name) {
    auto result = normalized(name);
    for (char& c : result)
        if (c == '-') c = '_';
    return result;
}

std::string html_escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&#34;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

std::string json_quoted(std::string_view text) {
    constexpr std::string_view short_escapes = "\b\f\n\r\t";
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (const auto at = short_escapes.find(c); at != std::string_view::npos) {
            result += '\\';
            result += "bfnrt"[at];
        } else if (byte(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{byte(c)});
            result += escape;
        } else {
            result += c;
        }
    }
    return result + '"';
}

std::string xml_escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            result += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            result += plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    return result;
}

Form parse_form(std::string_view body) {
    Form form;
    if (body.empty()) return form;
    for (const auto& pair : split(body, '&')) {
        const auto equals = pair.find('=');
        const auto key = std::string_view{pair}.substr(0, equals);
        const auto value =
            equals == std::string::npos ? "" : std::string_view{pair}.substr(equals + 1);
        form.emplace(percent_decoded(key, true), percent_decoded(value, true));
    }
    return form;
}

std::string field(const Form& form, std::string_view key, std::string_view otherwise) {
    const auto found = form.find(key);
    return found == form.end() ? std::string{otherwise} : found->second;
}

std::string iso_time(std::int64_t microseconds) {
    auto text = formatted("%Y-%m-%dT%H:%M:%S", calendar(microseconds / 1'000'000));
    char fraction[24];
    std::snprintf(fraction, sizeof fraction, ".%06lld",
                  static_cast<long long>(microseconds % 1'000'000));
    return text + (microseconds % 1'000'000 == 0 ? "" : fraction) + "Z";
}

std::string http_time(std::int64_t seconds) {
    return formatted("%a, %d %b %Y %H:%M:%S GMT", calendar(seconds));
}

}  // namespace sample
