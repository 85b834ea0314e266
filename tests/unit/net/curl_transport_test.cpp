// The transport against a server that behaves: what is sent, what is handed on, and when.
#include "pep381d/net/curl_transport.h"

#include <stdexcept>
#include <thread>
#include <unistd.h>

#include "support/catch.h"
#include "support/fetch.h"
#include "support/gzip.h"
#include "support/rude_server.h"

using namespace pep381d;
using namespace pep381d::test;
using namespace std::chrono_literals;

namespace {

TransportOptions options() {
    TransportOptions options;
    options.user_agent = user_agent("mirror@example.org");
    options.timeout = 500ms;
    return options;
}

}  // namespace

TEST_CASE("the user agent names the program, its version and whom to ask") {
    CHECK_THAT(user_agent("https://example.org/us"),
               ContainsSubstring(" (https://example.org/us)"));
    CHECK(user_agent("").starts_with("pep381d/"));
    CHECK(user_agent("").find('(') == std::string::npos);
}

TEST_CASE("a GET hands on what stands above the body, then the body, then the end") {
    RudeServer server;
    server.on("/simple/a/", ok("hello",
                               "Content-Type: text/html; charset=UTF-8\r\nETag: \"x1\"\r\n"
                               "X-PyPI-Last-Serial: 123456789\r\n"));
    CurlTransport transport(options());
    Request request = get(server.url("/simple/a/"));
    request.accept = "application/vnd.pypi.simple.v1+json";
    const Fetched fetched = fetch(transport, request);

    REQUIRE(fetched.ok());
    CHECK(fetched.body == "hello");
    CHECK(fetched.heads == 1);
    CHECK(fetched.ends == 1);
    CHECK(fetched.head.status == 200);
    CHECK(fetched.head.url == request.url);
    CHECK(fetched.head.content_type == "text/html; charset=UTF-8");
    CHECK(fetched.head.etag == "\"x1\"");
    CHECK(fetched.head.last_serial == Serial{123456789});
    CHECK(fetched.head.content_length == 5);
    CHECK(fetched.end->value().etag == "\"x1\"");

    const Asked asked = server.asked().at(0);
    CHECK(asked.method == "GET");
    CHECK(asked.header("Accept") == "application/vnd.pypi.simple.v1+json");
    CHECK(asked.header("Accept-Encoding") == "gzip");
    CHECK(asked.header("User-Agent") == user_agent("mirror@example.org"));
    CHECK(asked.header("If-None-Match").empty());
    CHECK(asked.header("Range").empty());
}

TEST_CASE("an answer without a body has a head all the same") {
    RudeServer server;
    server.on("/empty", ok(""));
    CurlTransport transport(options());
    Request request = get(server.url("/empty"));
    request.most_bytes = 0;
    const Fetched fetched = fetch(transport, request);
    REQUIRE(fetched.ok());
    CHECK(fetched.heads == 1);
    CHECK(fetched.body.empty());
}

TEST_CASE("a serial that is not one plain number is none") {
    RudeServer server;
    for (const char* bad :
         {"", "12x", "-5", "+5", "1e3", "99999999999999999999", "5\r\nX-PyPI-Last-Serial: 6"}) {
        server.on("/", ok("x", std::string("X-PyPI-Last-Serial: ") + bad + "\r\n"));
        CurlTransport transport(options());
        CAPTURE(bad);
        const Fetched fetched = fetch(transport, get(server.url("/")));
        REQUIRE(fetched.ok());
        CHECK_FALSE(fetched.head.last_serial.has_value());
    }
}

TEST_CASE("an ETag of ours brings 304 where nothing changed") {
    RudeServer server;
    server.on("/a", "HTTP/1.1 304 Not Modified\r\nETag: \"x1\"\r\nContent-Length: 5000000\r\n\r\n");
    CurlTransport transport(options());
    Request request = get(server.url("/a"));
    request.etag = "\"x1\"";
    const Fetched fetched = fetch(transport, request);
    REQUIRE(fetched.ok());
    CHECK(fetched.head.status == 304);
    CHECK(fetched.body.empty());
    CHECK(server.asked().at(0).header("If-None-Match") == "\"x1\"");

    const Fetched unasked = fetch(transport, get(server.url("/a")));
    REQUIRE_FALSE(unasked.ok());
    CHECK(unasked.failure().fault == Fault::corrupt);
}

TEST_CASE("an ETag so long that no server would take it back is none") {
    RudeServer server;
    for (const auto& [size, kept] : {std::pair<std::size_t, bool>{100, true}, {60'000, false}}) {
        const std::string etag = '"' + std::string(size, 'x') + '"';
        server.on("/a", ok("x", "ETag: " + etag + "\r\n"));
        CurlTransport transport(options());
        const Fetched fetched = fetch(transport, get(server.url("/a")));
        REQUIRE(fetched.ok());
        CHECK(fetched.head.etag == (kept ? etag : std::string()));
    }
}

TEST_CASE("an ETag cannot add a header to our request") {
    RudeServer server;
    server.on("/a", ok("x"));
    CurlTransport transport(options());
    Request request = get(server.url("/a"));
    request.etag = "\"x\"\r\nEvil: yes";
    REQUIRE(fetch(transport, request).ok());
    CHECK(server.asked().at(0).header("Evil").empty());
}

TEST_CASE("a POST is text/xml exactly, is sent at once, and stays a POST when redirected") {
    RudeServer server;
    server.on("/pypi", answer("301 Moved", "Location: /rpc\r\n", ""));
    server.on("/rpc", ok("<methodResponse/>"));
    CurlTransport transport(options());
    Request request = get(server.url("/pypi"));
    request.post = "<methodCall>" + std::string(5000, ' ') +
                   "</methodCall>";  // curl would ask Expect from 1 KB on
    const Fetched fetched = fetch(transport, request);
    REQUIRE(fetched.ok());
    CHECK(fetched.head.url == server.url("/rpc"));
    for (const Asked& asked : server.asked()) {
        CHECK(asked.method == "POST");
        CHECK(asked.header("Content-Type") == "text/xml");
        CHECK(asked.header("Expect").empty());
        CHECK(asked.body == request.post);
    }
}

TEST_CASE("what a server compresses is decoded for pages and left alone for files") {
    const std::string text(5000, 'a');
    const std::string packed = gzip(text);
    struct Row {
        Encoding encoding;
        const char* offered;
        bool decoded;
    };
    for (const Row& row :
         {Row{Encoding::gzip, "gzip", true}, Row{Encoding::identity, "identity", true},
          Row{Encoding::raw, "identity", false}}) {
        RudeServer server;
        server.on("/", ok(packed, "Content-Encoding: gzip\r\n"));
        CurlTransport transport(options());
        Request request = get(server.url("/"));
        request.encoding = row.encoding;
        const Fetched fetched = fetch(transport, request);
        CAPTURE(row.offered, row.decoded);
        REQUIRE(fetched.ok());
        CHECK(server.asked().at(0).header("Accept-Encoding") == row.offered);
        CHECK(fetched.body == (row.decoded ? text : packed));
        CHECK(fetched.head.content_length == static_cast<std::int64_t>(packed.size()));
    }
}

TEST_CASE("a range is taken up where it was asked for, or the caller is told that it begins anew") {
    RudeServer server;
    server.on("/part",
              answer("206 Partial Content", "Content-Range: bytes 100-104/105\r\n", "tail!"));
    server.on("/whole", ok("the whole"));
    server.on("/other",
              answer("206 Partial Content", "Content-Range: bytes 10-14/105\r\n", "other"));
    server.on("/bare", answer("206 Partial Content", "", "other"));
    server.on("/beyond", answer("416 Range Not Satisfiable", "Content-Range: bytes */50\r\n", ""));
    CurlTransport transport(options());
    const auto resume = [&](const char* target) {
        Request request = get(server.url(target));
        request.first_byte = 100;
        request.encoding = Encoding::raw;
        return fetch(transport, request);
    };

    const Fetched part = resume("/part");
    REQUIRE(part.ok());
    CHECK(part.head.status == 206);
    CHECK(part.body == "tail!");
    CHECK(server.asked().at(0).header("Range") == "bytes=100-");

    const Fetched whole = resume("/whole");
    REQUIRE(whole.ok());
    CHECK(whole.head.status == 200);

    for (const char* target : {"/other", "/bare", "/beyond"}) {
        const Fetched wrong = resume(target);
        CAPTURE(target);
        REQUIRE_FALSE(wrong.ok());
        CHECK(wrong.failure().fault == Fault::corrupt);
        CHECK(wrong.heads == 0);
        CHECK(wrong.body.empty());
    }
    CHECK_FALSE(fetch(transport, get(server.url("/part"))).ok());
}

TEST_CASE("requests one after another share a connection, also after an error page") {
    RudeServer server;
    server.on("/a", ok("a"));
    server.on("/gone", answer("404 Not Found", "", std::string(20'000, 'x')));
    CurlTransport transport(options());
    for (int i = 0; i < 5; ++i) {
        REQUIRE(fetch(transport, get(server.url("/a"))).ok());
        const Fetched gone = fetch(transport, get(server.url("/gone")));
        CHECK(gone.failure().fault == Fault::gone);
        CHECK(gone.failure().what == "GET " + server.url("/gone") + ": HTTP 404 Not Found");
        CHECK(gone.heads == 0);
        CHECK(gone.body.empty());
    }
    CHECK(server.connections() == 1);
}

TEST_CASE(
    "nothing is called inside start, and a request that cannot be set up ends like any other") {
    CurlTransport transport(options());
    for (const char* url : {"", "pypi.org/simple/", "ftp://pypi.org/", "file:///etc/passwd",
                            "http://", "http://a b/", "http://[::1/", "https:/x"}) {
        CAPTURE(url);
        Fetched fetched;
        transport.start(get(url), fetched.receiver());
        CHECK(fetched.ends == 0);
        wait_until(transport, [&] { return fetched.ends > 0; });
        REQUIRE(fetched.ends == 1);
        CHECK(fetched.failure().fault == Fault::refused);
        CHECK_THAT(fetched.failure().what, ContainsSubstring(std::string("GET ") + url));
    }
}

TEST_CASE("a user name and password go to the host that they were given for, and into no message") {
    RudeServer server, other;
    server.on("/a", ok("a"));
    server.on("/away", answer("302 Found", "Location: " + other.url("/b") + "\r\n", ""));
    other.on("/b", ok("b"));
    CurlTransport transport(options());
    const std::string base = "http://me:secret@127.0.0.1:" + std::to_string(server.port());
    REQUIRE(fetch(transport, get(base + "/a")).ok());
    REQUIRE(fetch(transport, get(base + "/away")).ok());
    CHECK(server.asked().at(0).header("Authorization") == "Basic bWU6c2VjcmV0");
    CHECK(other.asked().at(0).header("Authorization").empty());

    const Fetched missing = fetch(transport, get(base + "/missing"));
    CHECK(missing.failure().what == "GET " + server.url("/missing") + ": HTTP 404 Not Found");
}

TEST_CASE("the proxies of the environment are not used, the one of the options is") {
    RudeServer server, proxy;
    server.on("/a", ok("direct"));
    proxy.on(server.url("/a"), ok("by proxy"));
    ::setenv("http_proxy", proxy.url("").c_str(), 1);
    CurlTransport direct(options());
    CHECK(fetch(direct, get(server.url("/a"))).body == "direct");
    ::unsetenv("http_proxy");

    TransportOptions by_proxy = options();
    by_proxy.proxy = proxy.url("");
    ::setenv("no_proxy", "*", 1);
    CurlTransport transport(by_proxy);
    CHECK(fetch(transport, get(server.url("/a"))).body == "by proxy");
    ::unsetenv("no_proxy");
}
