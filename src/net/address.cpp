#include "pep381d/net/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <strings.h>

#include <curl/curl.h>

namespace pep381d {
namespace {

struct Range {
    std::uint32_t network;
    int bits;
};

// IANA's special-purpose registry, as far as something of ours could answer there.
constexpr Range not_public[] = {
    {0x00000000, 8},   // 0.0.0.0/8, "this host"
    {0x0a000000, 8},   // 10.0.0.0/8
    {0x64400000, 10},  // 100.64.0.0/10, carrier-grade NAT
    {0x7f000000, 8},   // 127.0.0.0/8
    {0xa9fe0000, 16},  // 169.254.0.0/16, link-local, and the metadata servers of clouds
    {0xac100000, 12},  // 172.16.0.0/12
    {0xc0000000, 24},  // 192.0.0.0/24
    {0xc0a80000, 16},  // 192.168.0.0/16
    {0xc6120000, 15},  // 198.18.0.0/15, test beds
    {0xe0000000, 3},   // multicast and reserved
};

bool is_public_v4(std::uint32_t address) {
    for (const Range& range : not_public) {
        if (((address ^ range.network) >> (32 - range.bits)) == 0) return false;
    }
    return true;
}

using Bytes = std::array<std::uint8_t, 16>;

std::uint32_t v4_at(const Bytes& bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

bool starts_with(const Bytes& bytes, std::initializer_list<std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_public_v6(const Bytes& bytes) {
    if (starts_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}))
        return is_public_v4(v4_at(bytes, 12));
    if (starts_with(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
        return is_public_v4(v4_at(bytes, 12));
    if (starts_with(bytes, {0x20, 0x02})) return is_public_v4(v4_at(bytes, 2));
    if (starts_with(bytes, {0x20, 0x01, 0, 0}))
        return false;                  // Teredo: the address in it is anybody's
    return (bytes[0] & 0xe0) == 0x20;  // 2000::/3 is all that is given out so far
}

Bytes bytes_of(const in6_addr& address) {
    Bytes bytes;
    std::memcpy(bytes.data(), &address, bytes.size());
    return bytes;
}

bool has_scheme(std::string_view url, std::string_view scheme) {
    return url.size() > scheme.size() &&
           ::strncasecmp(url.data(), scheme.data(), scheme.size()) == 0;
}

}  // namespace

bool is_public(const sockaddr& address) {
    // Copied, because a sockaddr in a larger buffer need not be aligned for the type that it is.
    if (address.sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, &address, sizeof v6);
        return is_public_v6(bytes_of(v6.sin6_addr));
    }
    return false;
}

bool is_public_host(const std::string& host) {
    if (host.starts_with('[')) {
        in6_addr v6;
        const std::string inside = host.substr(1, host.find_first_of("]%") - 1);
        return ::inet_pton(AF_INET6, inside.c_str(), &v6) == 1 && is_public_v6(bytes_of(v6));
    }
    std::string name = host;
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (name.ends_with('.')) name.pop_back();
    // Also `127.1` and what else resolvers take for an address, a proxy's among them.
    in_addr v4;
    if (::inet_aton(name.c_str(), &v4) != 0) return is_public_v4(ntohl(v4.s_addr));
    return !name.empty() && name != "localhost" && !name.ends_with(".localhost");
}

bool is_https(std::string_view url) {
    return has_scheme(url, "https://");
}

bool is_http(std::string_view url) {
    return has_scheme(url, "http://");
}

std::string host_of(const std::string& url) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), &curl_url_cleanup);
    char* host = nullptr;
    if (!parts || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
    if (curl_url_get(parts.get(), CURLUPART_HOST, &host, CURLU_URLDECODE) != CURLUE_OK) return {};
    const std::unique_ptr<char, decltype(&curl_free)> owner(host, &curl_free);
    return host;
}

std::string display_address(const sockaddr& address) {
    char text[INET6_ADDRSTRLEN] = "an unknown kind of address";
    if (address.sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    } else if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, &address, sizeof v6);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    return text;
}

bool AddressGuard::admits(Peer peer, const sockaddr& address) const {
    return admits(peer, pep381d::is_public(address));
}

bool AddressGuard::admits_host(Peer peer, const std::string& host) const {
    return admits(peer, is_public_host(host));
}

void AddressGuard::connected(Peer peer, const std::string& host) {
    if (peer == Peer::master && !is_public_host(host)) master_is_private_ = true;
}

bool AddressGuard::admits(Peer peer, bool is_public) const {
    return peer != Peer::file || is_public || master_is_private_;
}

}  // namespace pep381d
