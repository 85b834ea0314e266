#include "pep381d/net/http_failure.h"

#include <algorithm>
#include <string_view>
#include <system_error>

#include <curl/curl.h>
#include <fmt/format.h>

#include "pep381d/base/units.h"

namespace pep381d {
namespace {

std::string_view reason(long status) {
    switch (status) {
        case 204:
            return " No Content";
        case 400:
            return " Bad Request";
        case 401:
            return " Unauthorized";
        case 403:
            return " Forbidden";
        case 404:
            return " Not Found";
        case 405:
            return " Method Not Allowed";
        case 406:
            return " Not Acceptable";
        case 407:
            return " Proxy Authentication Required";
        case 408:
            return " Request Timeout";
        case 410:
            return " Gone";
        case 416:
            return " Range Not Satisfiable";
        case 421:
            return " Misdirected Request";
        case 425:
            return " Too Early";
        case 429:
            return " Too Many Requests";
        case 451:
            return " Unavailable For Legal Reasons";
        case 500:
            return " Internal Server Error";
        case 502:
            return " Bad Gateway";
        case 503:
            return " Service Unavailable";
        case 504:
            return " Gateway Timeout";
        default:
            return "";
    }
}

std::string_view advice(long status, bool resumed) {
    if (status == 401) return ": it wants a user name and password in the URL";
    if (status == 407) return ": it wants a user name and password in master.proxy";
    if (status == 206) return " without a range asked for";
    if (status == 304) return " without an ETag sent";
    if (status == 416 && resumed) return ": there is less of it than we have already";
    if (status >= 300 && status < 400) return " without a Location";
    return "";
}

Fault fault_of(long status, bool resumed) {
    if (status == 404 || status == 410) return Fault::gone;
    if (status == 501) return Fault::refused;  // so much is not for a retry to change
    if (status == 408 || status == 425 || status == 429 || status >= 500) return Fault::retry_later;
    // What we hold cannot be a part of what is there: as with a wrong hash, only a new start helps.
    if (status == 416 && resumed) return Fault::corrupt;
    if (status >= 400) return Fault::refused;
    return Fault::corrupt;
}

std::string lower_first(std::string text) {
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    return text;
}

std::string cause(const BrokenOff& end) {
    if (end.os_error != 0) return lower_first(std::generic_category().message(end.os_error));
    if (!end.detail.empty()) return lower_first(end.detail);
    return lower_first(curl_easy_strerror(static_cast<CURLcode>(end.code)));
}

std::string timed_out(const BrokenOff& end) {
    // curl's two clocks differ by some milliseconds.
    if (end.deadline.count() > 0 && end.elapsed + end.deadline / 20 >= end.deadline) {
        return "not done after " + format_duration(end.deadline);
    }
    return (end.connected ? "no byte for " : "no connection after ") + format_duration(end.timeout);
}

// Without the words that curl puts in front of the cause.
std::string certificate_problem(std::string_view detail) {
    for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
        if (detail.starts_with(prefix)) detail.remove_prefix(prefix.size());
    }
    const auto says = [&](const char* word) { return detail.find(word) != std::string_view::npos; };
    const char* hint = "";
    if (says("issuer") || says("self-signed") || says("self signed"))
        hint = " (a CA of your own goes into master.ca-file)";
    if (says("expired") || says("not yet valid")) hint = " (if it is not, see to the clock here)";
    return fmt::format("TLS certificate problem: {}{}", detail, hint);
}

}  // namespace

Failure status_failure(long status, bool resumed, std::chrono::seconds retry_after) {
    constexpr std::chrono::seconds day = std::chrono::hours(24);
    const Fault fault = fault_of(status, resumed);
    return {fault, fmt::format("HTTP {}{}{}", status, reason(status), advice(status, resumed)),
            fault == Fault::retry_later ? std::clamp(retry_after, std::chrono::seconds(0), day)
                                        : std::chrono::seconds(0),
            status == 429};
}

Failure curl_failure(const BrokenOff& end) {
    switch (end.code) {
        case CURLE_URL_MALFORMAT:
            return {Fault::refused, "malformed URL: " + cause(end)};
        case CURLE_UNSUPPORTED_PROTOCOL:
            return {Fault::retry_later, "what answers there does not speak HTTP"};
        case CURLE_TOO_MANY_REDIRECTS:
            return {Fault::refused, "too many redirects"};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
            return {Fault::refused, certificate_problem(end.detail)};

        case CURLE_SSL_CACERT_BADFILE:
            return {Fault::local,
                    "cannot use the CA certificates, see master.ca-file: " + cause(end)};
        case CURLE_FAILED_INIT:
        case CURLE_NOT_BUILT_IN:
        case CURLE_UNKNOWN_OPTION:
        case CURLE_BAD_FUNCTION_ARGUMENT:
        case CURLE_SETOPT_OPTION_SYNTAX:
        case CURLE_SSL_ENGINE_NOTFOUND:
        case CURLE_SSL_ENGINE_SETFAILED:
        case CURLE_SSL_ENGINE_INITFAILED:
        case CURLE_SSL_CIPHER:
            return {Fault::local, "curl cannot do it: " + cause(end)};

        // What curl 7.88 calls a header line that is longer than it reads; 100 is CURLE_TOO_LARGE
        // of newer ones.
        case CURLE_OUT_OF_MEMORY:
        case 100:
            return {Fault::corrupt, "headers too long"};

        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_WRITE_ERROR:
            return {Fault::corrupt, "the body does not decode: " + cause(end)};

        case CURLE_OPERATION_TIMEDOUT:
            return {Fault::retry_later, timed_out(end)};
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {Fault::retry_later,
                    lower_first(end.detail) + " (no such name, or DNS does not answer)"};
        case CURLE_GOT_NOTHING:
            return {Fault::retry_later, "closed without an answer"};
        case CURLE_PARTIAL_FILE:
            return {Fault::retry_later, "ended early: " + cause(end)};
        case CURLE_SSL_CONNECT_ERROR:
            return {Fault::retry_later, "no TLS connection: " + cause(end)};
        // Everything else is a connection that was not made or broke; all of it may be better in a
        // while.
        default:
            return {Fault::retry_later, cause(end)};
    }
}

}  // namespace pep381d
