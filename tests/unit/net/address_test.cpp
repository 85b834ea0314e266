#include "pep381d/net/address.h"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

#include "support/catch.h"

using namespace pep381d;

namespace {

sockaddr_storage address(const std::string& text) {
    sockaddr_storage storage{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        std::memcpy(&storage, &v4, sizeof v4);
    } else {
        REQUIRE(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
        v6.sin6_family = AF_INET6;
        std::memcpy(&storage, &v6, sizeof v6);
    }
    return storage;
}

const sockaddr& plain(const sockaddr_storage& storage) {
    return reinterpret_cast<const sockaddr&>(storage);
}

}  // namespace

TEST_CASE("public addresses are told from those that only we can reach") {
    const char* open[] = {"1.1.1.1",          "9.255.255.255",    "11.0.0.0",
                          "100.63.255.255",   "100.128.0.0",      "151.101.0.223",
                          "172.15.255.255",   "172.32.0.0",       "192.167.255.255",
                          "192.169.0.0",      "198.20.0.0",       "223.255.255.255",
                          "2a04:4e42::223",   "2606:4700::1111",  "::ffff:1.1.1.1",
                          "64:ff9b::1.1.1.1", "2002:0101:0101::1"};
    const char* closed[] = {"0.0.0.0",
                            "0.1.2.3",
                            "10.0.0.1",
                            "100.64.0.1",
                            "100.127.255.255",
                            "127.0.0.1",
                            "127.255.255.254",
                            "169.254.169.254",
                            "172.16.0.1",
                            "172.31.255.255",
                            "192.0.0.170",
                            "192.168.1.1",
                            "198.18.0.1",
                            "198.19.255.255",
                            "224.0.0.1",
                            "239.255.255.250",
                            "240.0.0.1",
                            "255.255.255.255",
                            "::",
                            "::1",
                            "::127.0.0.1",
                            "fe80::1",
                            "fec0::1",
                            "fc00::1",
                            "fd12:3456::1",
                            "ff02::1",
                            "::ffff:127.0.0.1",
                            "::ffff:10.1.2.3",
                            "64:ff9b::10.0.0.1",
                            "64:ff9b:1::1",
                            "2002:7f00:0001::1",
                            "2001::1"};
    for (const char* text : open) {
        CAPTURE(text);
        CHECK(is_public(plain(address(text))));
    }
    for (const char* text : closed) {
        CAPTURE(text);
        CHECK_FALSE(is_public(plain(address(text))));
    }
    CHECK(display_address(plain(address("10.0.0.7"))) == "10.0.0.7");
    CHECK(display_address(plain(address("fe80:0::1"))) == "fe80::1");
    sockaddr local{};
    local.sa_family = AF_UNIX;
    CHECK_FALSE(is_public(local));
}

TEST_CASE("a host in a URL is judged by its address where it is one") {
    for (const char* host : {"pypi.org", "1.1.1.1", "[2606:4700::1111]", "localhost.example.org"}) {
        CAPTURE(host);
        CHECK(is_public_host(host));
    }
    for (const char* host :
         {"127.0.0.1", "[::1]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[::ffff:10.0.0.1]", "127.1",
          "0x7f.1", "2130706433", "017700000001", "127.0.0.1.", "localhost", "LocalHost",
          "localhost.", "a.localhost", "[", "[]", "[::1", "", "."}) {
        CAPTURE(host);
        CHECK_FALSE(is_public_host(host));
    }
}

TEST_CASE("an alternate may be on a private address, and that teaches nothing about files") {
    const sockaddr_storage private_address = address("10.0.0.7");
    AddressGuard guard;
    CHECK(guard.admits(Peer::alternate, plain(private_address)));
    CHECK(guard.admits_host(Peer::alternate, "10.0.0.7"));
    CHECK_FALSE(guard.admits(Peer::file, plain(private_address)));
}

TEST_CASE("files reach private addresses only after the configured master was on one") {
    const sockaddr_storage private_address = address("10.0.0.7");
    const sockaddr_storage public_address = address("151.101.0.223");

    AddressGuard guard;
    CHECK(guard.admits(Peer::file, plain(public_address)));
    CHECK_FALSE(guard.admits(Peer::file, plain(private_address)));
    CHECK(guard.admits(Peer::master, plain(public_address)));
    CHECK_FALSE(guard.admits(Peer::file, plain(private_address)));
    CHECK_FALSE(guard.admits_host(Peer::file, "10.0.0.7"));

    // That a name server says so is not enough.
    CHECK(guard.admits(Peer::master, plain(private_address)));
    CHECK(guard.admits_host(Peer::master, "10.0.0.7"));
    guard.connected(Peer::master, "151.101.0.223");
    guard.connected(Peer::file, "10.0.0.7");
    guard.connected(Peer::alternate, "10.0.0.7");
    CHECK_FALSE(guard.admits(Peer::file, plain(private_address)));

    guard.connected(Peer::master, "10.0.0.7");
    CHECK(guard.admits(Peer::file, plain(private_address)));
    CHECK(guard.admits_host(Peer::file, "10.0.0.7"));
}
