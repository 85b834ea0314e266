#include "pep381d/serve/listen_address.h"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "pep381d/base/outcome.h"

namespace pep381d {

namespace {

struct SocketAddress {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

SocketAddress ipv4(in_addr host, std::uint16_t port) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr = host;
    v4.sin_port = htons(port);
    SocketAddress address;
    std::memcpy(&address.bytes, &v4, sizeof v4);
    address.size = sizeof v4;
    return address;
}

SocketAddress ipv6(in6_addr host, std::uint16_t port) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = host;
    v6.sin6_port = htons(port);
    SocketAddress address;
    std::memcpy(&address.bytes, &v6, sizeof v6);
    address.size = sizeof v6;
    return address;
}

std::optional<SocketAddress> numeric(const ListenAddress& address) {
    in_addr v4{};
    if (::inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return ipv4(v4, address.port);
    in6_addr v6{};
    if (::inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) return ipv6(v6, address.port);
    return std::nullopt;
}

// -1 and errno where it fails.
Descriptor listening(const SocketAddress& address, bool both_families) {
    const int family = address.bytes.ss_family;
    Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return socket;
    const int on = 1;
    const int v6_only = both_families ? 0 : 1;
    // A restarted daemon gets its port back while old connections are still in TIME_WAIT.
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address.bytes);
    if (::bind(socket.get(), generic, address.size) != 0 ||
        ::listen(socket.get(), SOMAXCONN) != 0) {
        const int error = errno;
        socket = Descriptor();
        errno = error;
    }
    return socket;
}

std::string_view remedy(int error) {
    switch (error) {
        case EADDRINUSE:
            return "choose another or stop the program that holds it";
        case EADDRNOTAVAIL:
            return "choose an address of this machine";
        case EACCES:
            return "choose a port above 1023 or grant CAP_NET_BIND_SERVICE";
        default:
            return "choose another, or leave it empty to serve the tree otherwise";
    }
}

}  // namespace

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);

    ListenAddress address;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (brackets) host = host.substr(1, host.size() - 2);
    address.host = host;
    if (host.empty()) return address;
    const auto socket_address = numeric(address);
    if (!socket_address || (socket_address->bytes.ss_family == AF_INET6) != brackets)
        return std::nullopt;
    return address;
}

Descriptor listen_on(const std::string& text) {
    const auto address = parse_listen_address(text);
    if (!address) {
        throw Fatal(2, fmt::format("listen.address {}: not understood; write ADDRESS:PORT in "
                                   "numbers, such as 127.0.0.1:8381 or [::1]:8381",
                                   text));
    }
    Descriptor socket;
    if (address->host.empty()) {
        socket = listening(ipv6(in6addr_any, address->port), true);
        if (!socket && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            socket = listening(ipv4(in_addr{INADDR_ANY}, address->port), false);
    } else {
        socket = listening(*numeric(*address), false);
    }
    if (socket) return socket;
    const int error = errno;
    throw Fatal(
        5, fmt::format("listen.address {}: {}; {}", text, std::strerror(error), remedy(error)));
}

std::uint16_t port_of(const Descriptor& socket) {
    sockaddr_storage bytes{};
    socklen_t size = sizeof bytes;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bytes), &size);
    if (bytes.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &bytes, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    sockaddr_in v4{};
    std::memcpy(&v4, &bytes, sizeof v4);
    return ntohs(v4.sin_port);
}

}  // namespace pep381d
