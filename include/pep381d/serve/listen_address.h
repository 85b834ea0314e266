// Where the embedded server listens: the value of listen.address, and the socket for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/descriptor.h"

namespace pep381d {

struct ListenAddress {
    std::string
        host;  // numeric, IPv4 or IPv6 without brackets; empty: every address of this machine
    std::uint16_t port = 0;  // 0: any free one
    bool operator==(const ListenAddress&) const = default;
};

// `127.0.0.1:8381`, `[::1]:8381`, `:8381`; nothing for anything else, names among it.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

// A listening socket that does not block. Throws Fatal(2) and Fatal(5) as WebServer does.
Descriptor listen_on(const std::string& text);

// The port that the socket got.
std::uint16_t port_of(const Descriptor& socket);

}  // namespace pep381d
