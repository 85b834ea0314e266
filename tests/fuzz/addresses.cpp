// URLs and addresses: what only we can reach is told from what is public in any spelling, and no
// password is shown.
#include <memory>
#include <netdb.h>

#include <curl/curl.h>

#include "pep381d/app/config_value.h"
#include "pep381d/base/log.h"
#include "pep381d/net/address.h"
#include "pep381d/serve/listen_address.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

std::string part(const std::string& url, CURLUPart what) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), &curl_url_cleanup);
    char* text = nullptr;
    constexpr unsigned int flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
    if (curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), flags) != CURLUE_OK ||
        curl_url_get(parts.get(), what, &text, 0) != CURLUE_OK)
        return {};
    const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
    return text;
}

// As the system's resolver takes it, which knows more spellings of an address than ours.
void check_host(const std::string& host) {
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (bare.empty() || ::getaddrinfo(bare.c_str(), nullptr, &hints, &found) != 0) return;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        require(is_public(*one->ai_addr) || !is_public_host(host), "no spelling hides an address",
                host);
        require(!display_address(*one->ai_addr).empty(), "an address is shown");
    }
}

void check_url(const std::string& url) {
    // A control character is refused wherever a URL comes in.
    if (fuzz::has_control(url)) return;
    check_host(host_of(url));
    if (part(url, CURLUPART_HOST).empty()) return;
    const std::string shown = display_url(url);
    require(part(shown, CURLUPART_USER).empty() && part(shown, CURLUPART_PASSWORD).empty(),
            "a URL that is shown has no password", shown);
}

void check_values(const std::string& text) {
    if (const auto url = parse_master_url(text)) {
        require(is_http(*url) || is_https(*url), "the master speaks http", *url);
        require(parse_master_url(*url) == url, "a URL that was read is read again", *url);
    }
    if (const auto url = parse_alternate(text))
        require(parse_alternate(*url) == url, "a URL that was read is read again", *url);
    (void)parse_proxy(text);
    if (const auto address = parse_listen_address(std::string_view(text));
        address && !address->host.empty())
        require(parse_listen_address(text) == text, "the configuration takes an address too", text);
}

}  // namespace

void fuzz_one(std::string_view input) {
    const std::string text(input.substr(0, input.find('\0')));
    check_url(text);
    check_values(text);
    if (text.find_first_of("/?#@:") == std::string::npos) check_host(text);
}
