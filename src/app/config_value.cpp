#include "pep381d/app/config_value.h"

#include <charconv>
#include <memory>
#include <string_view>

#include <curl/curl.h>

#include "pep381d/base/units.h"

namespace pep381d {

namespace {

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
    Number number{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

std::optional<Reserve> parse_percentage(const std::string& text) {
    const auto percent = parse_number<double>(text.substr(0, text.size() - 1));
    if (!percent || !(*percent >= 0 && *percent <= 100)) return std::nullopt;
    return Reserve{0, *percent};
}

// By curl's own parser, since it is curl that has to understand the URL later.
bool is_url(const std::string& text, unsigned int flags) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
    return url != nullptr &&
           curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) == CURLUE_OK;
}

std::string without_slashes_at_end(std::string text) {
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

std::optional<std::string> parse_base(const std::string& text) {
    const bool http = text.starts_with("http://") || text.starts_with("https://");
    if (!http || text.find_first_of("?#") != std::string::npos || !is_url(text, 0))
        return std::nullopt;
    return without_slashes_at_end(text);
}

}  // namespace

std::optional<bool> parse_flag(const std::string& text) {
    if (text == "true" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "no" || text == "off") return false;
    return std::nullopt;
}

std::optional<int> parse_request_count(const std::string& text) {
    const auto count = parse_number<int>(text);
    if (!count || *count < 1 || *count > 1000) return std::nullopt;
    return count;
}

std::optional<double> parse_fraction(const std::string& text) {
    const auto fraction = parse_number<double>(text);
    if (!fraction || !(*fraction >= 0 && *fraction <= 1))
        return std::nullopt;  // `nan` compares to nothing
    return fraction;
}

std::optional<Reserve> parse_reserved_bytes(const std::string& text) {
    if (text.ends_with('%')) return parse_percentage(text);
    const auto bytes = parse_size(text);
    if (!bytes) return std::nullopt;
    return Reserve{*bytes, 0};
}

std::optional<Reserve> parse_reserved_inodes(const std::string& text) {
    if (text.ends_with('%')) return parse_percentage(text);
    const auto count = parse_number<std::int64_t>(text);
    if (!count || *count < 0) return std::nullopt;
    return Reserve{*count, 0};
}

std::optional<std::chrono::milliseconds> parse_positive_duration(const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration || duration->count() == 0) return std::nullopt;
    return duration;
}

std::optional<std::string> parse_path(const std::string& text) {
    // A comment behind the value would silently become a part of the path.
    if (text.empty() || text.find(" #") != std::string::npos) return std::nullopt;
    return without_slashes_at_end(text);
}

std::optional<std::string> parse_optional_path(const std::string& text) {
    return text.empty() ? std::optional(text) : parse_path(text);
}

std::optional<std::string> parse_master_url(const std::string& text) {
    auto url = parse_base(text);
    // The most likely slip: what pip's --index-url or an XML-RPC client is given.
    if (url && (url->ends_with("/simple") || url->ends_with("/pypi"))) return std::nullopt;
    return url;
}

std::optional<std::string> parse_alternate(const std::string& text) {
    auto url = parse_base(text);
    if (url && (url->ends_with("/simple") || url->ends_with("/packages"))) return std::nullopt;
    return url;
}

std::optional<int> parse_ip_version(const std::string& text) {
    if (text == "any") return 0;
    if (text == "4" || text == "6") return text[0] - '0';
    return std::nullopt;
}

std::optional<std::string> parse_proxy(const std::string& text) {
    if (!text.empty() && !is_url(text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME))
        return std::nullopt;
    return text;
}

std::optional<std::string> parse_listen_address(const std::string& text) {
    if (text.empty()) return text;
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    const std::string_view host = std::string_view(text).substr(0, colon);
    const bool bracketed = host.front() == '[' && host.back() == ']';
    if (!bracketed && host.find_first_of("[]:/ ") != std::string_view::npos) return std::nullopt;
    const auto port = parse_number<int>(text.substr(colon + 1));
    if (!port || *port < 0 || *port > 65535) return std::nullopt;
    return text;
}

std::optional<std::string> parse_log_level(const std::string& text) {
    for (const char* level : {"debug", "info", "warning", "error"})
        if (text == level) return text;
    return std::nullopt;
}

bool is_name_pattern(const std::string& text) {
    constexpr std::string_view legal =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*";
    return !text.empty() && text.find_first_not_of(legal) == std::string::npos;
}

}  // namespace pep381d
