// Which network addresses a URL out of a page may lead to. Whoever writes a page must not be able
// to make us talk to machines that only we can reach. No I/O. Thread rule: none for the functions,
// the loop's for the guard.
#pragma once

#include <string>
#include <string_view>
#include <sys/socket.h>

#include "pep381d/net/transport.h"

namespace pep381d {

// False for loopback, private, link-local, carrier-grade NAT, multicast and reserved ranges, also
// where an IPv6 address carries them (mapped, 6to4, NAT64), and for address families other than
// IPv4 and IPv6.
bool is_public(const sockaddr& address);

// The same for a host as it stands in a URL (IPv6 in brackets): true for names, but for localhost.
bool is_public_host(const std::string& host);

// By scheme.
bool is_https(std::string_view url);
bool is_http(std::string_view url);
// The host of a URL as curl will read it, which knows 0x7f.1 and its like; empty where there is
// none.
std::string host_of(const std::string& url);

// `10.0.0.1`, `fe80::1`
std::string display_address(const sockaddr& address);

// Learns from the master's first connection on: while no master is known to be on a private
// address, files (and what the master redirects to) are held to public ones. Once it is, anything
// goes: our user put us into that network.
class AddressGuard {
  public:
    // Peer::file too for a host that a redirect named, whoever was asked: nobody may lead us where
    // the configuration does not.
    bool admits(Peer peer, const sockaddr& address) const;
    // Through a proxy only the host's name is seen.
    bool admits_host(Peer peer, const std::string& host) const;
    // The connection to it stands, its certificate included: a name server alone can say what it
    // likes.
    void connected(Peer peer, const std::string& host);

  private:
    bool admits(Peer peer, bool is_public) const;

    bool master_is_private_ = false;
};

}  // namespace pep381d
