// Where a request may go: redirects, private addresses, alternates, proxies.
#include <string>

#include "pep381d/net/curl_transport.h"

#include "support/catch.h"
#include "support/fetch.h"
#include "support/rude_server.h"

using namespace pep381d;
using namespace pep381d::test;
using namespace std::chrono_literals;

namespace {

TransportOptions options() {
    TransportOptions options;
    options.timeout = 300ms;
    return options;
}

}  // namespace

TEST_CASE("five redirects are followed, six are not") {
    RudeServer server;
    for (int i = 0; i < 6; ++i) {
        server.on("/" + std::to_string(i),
                  answer("302 Found", "Location: /" + std::to_string(i + 1) + "\r\n", "moved"));
    }
    server.on("/6", ok("here"));
    CurlTransport transport(options());
    const Fetched five = fetch(transport, get(server.url("/1")));
    REQUIRE(five.ok());
    CHECK(five.body == "here");
    CHECK(five.head.url == server.url("/6"));
    expect(fetch(transport, get(server.url("/0"))), Fault::refused, "too many redirects");
}

TEST_CASE("a server that redirects for ever is left after five") {
    RudeServer server;
    for (int i = 0; i < 2000; ++i)
        server.on("/" + std::to_string(i),
                  answer("302 Found", "Location: /" + std::to_string(i + 1) + "\r\n", "moved"));
    CurlTransport transport(options());
    expect(fetch(transport, get(server.url("/0"))), Fault::refused, "too many redirects");
    CHECK(server.asked().size() == 6);
}

TEST_CASE("an alternate may be on a private address, but leads nobody there") {
    RudeServer server;
    server.on("/file", ok("bytes"));
    server.on("/moved", answer("302 Found", "Location: " + server.url("/file") + "\r\n", ""));
    CurlTransport transport(options());
    Request alternate = get(server.url("/file"));
    alternate.peer = Peer::alternate;
    CHECK(fetch(transport, alternate).body == "bytes");
    Request file = get(server.url("/file"));
    file.peer = Peer::file;
    // Neither over the alternate's connection, which stands, nor over one of its own.
    for (const char* host : {"127.0.0.1", "localhost"}) {
        const std::string base =
            "http://" + std::string(host) + ":" + std::to_string(server.port());
        file.url = base + "/file";
        expect(fetch(transport, file), Fault::refused, "is not a public address");
        alternate.url = base + "/moved";
        expect(fetch(transport, alternate), Fault::refused, "is not a public address");
        alternate.url = base + "/file";
        CHECK(fetch(transport, alternate).body == "bytes");
    }
}

TEST_CASE("a host is reached by the version of IP that was chosen, and by no other") {
    RudeServer server;
    server.on("/x", ok("x"));
    const std::string url = "http://localhost:" + std::to_string(server.port()) + "/x";
    for (const auto& [version, reached] :
         {std::pair(IpVersion::any, true), std::pair(IpVersion::v4, true),
          std::pair(IpVersion::v6, false)}) {
        TransportOptions chosen = options();
        chosen.ip_version = version;
        CurlTransport transport(chosen);
        CHECK(fetch(transport, get(url)).ok() == reached);
    }
}

TEST_CASE("a file named by a page that came by https is not fetched by http") {
    RudeServer server;
    server.on("/x", ok("x"));
    CurlTransport transport(options());
    Request request = get(server.url("/x"));
    request.https_only = true;
    expect(fetch(transport, request), Fault::refused, "http, from a page that came by https");
    CHECK(server.connections() == 0);
}

TEST_CASE("a file on a private address is fetched only where the master is on one") {
    RudeServer server;
    server.on("/file", ok("bytes"));
    server.on("/page", ok("page"));
    CurlTransport transport(options());
    Request file = get(server.url("/file"));
    file.peer = Peer::file;

    const Fetched early = fetch(transport, file);
    expect(early, Fault::refused, "127.0.0.1 is not a public address");
    CHECK(server.connections() == 0);

    file.url = "http://localhost:" + std::to_string(server.port()) + "/file";
    expect(fetch(transport, file), Fault::refused, "is not a public address");
    CHECK(server.connections() == 0);

    REQUIRE(fetch(transport, get(server.url("/page"))).ok());
    CHECK(fetch(transport, file).body == "bytes");
}

TEST_CASE("behind a proxy a file's address is judged by its URL, also after a redirect") {
    RudeServer proxy;
    TransportOptions by_proxy = options();
    by_proxy.proxy = proxy.url("");
    CurlTransport transport(by_proxy);
    Request file;
    file.peer = Peer::file;
    file.most_bytes = 100;

    for (const char* url :
         {"http://127.0.0.1/x", "http://0x7f.1/x", "http://[::1]/x", "http://LOCALHOST/x",
          "http://2130706433/x", "http://u:p@10.0.0.1/x", "https://192.168.1.1/x"}) {
        CAPTURE(url);
        file.url = url;
        expect(fetch(transport, file), Fault::refused, "is not a public address");
    }
    CHECK(proxy.connections() == 0);

    proxy.on("http://files.example.org/moved",
             answer("302 Found", "Location: http://10.0.0.1/x\r\n", ""));
    proxy.on("http://files.example.org/x", ok("bytes"));
    file.url = "http://files.example.org/x";
    CHECK(fetch(transport, file).body == "bytes");
    file.url = "http://files.example.org/moved";
    expect(fetch(transport, file), Fault::refused, "10.0.0.1 is not a public address");
    for (const Asked& asked : proxy.asked())
        CHECK_THAT(asked.target, ContainsSubstring("files.example.org"));
}
