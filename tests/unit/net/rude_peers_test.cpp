// The transport against peers that fail, lie, flood and hang.
#include <string>

#include "pep381d/net/curl_transport.h"

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
    options.timeout = 300ms;
    return options;
}

int unused_port() {
    RudeServer server;
    return server.port();
}

}  // namespace

TEST_CASE("every kind of broken answer ends with the fault that says what to do") {
    struct Row {
        const char* name;
        std::string bytes;  // after them the server closes
        Fault fault;
        const char* text;
    };
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const Row rows[] = {
        {"nothing", "", Fault::retry_later, "closed without an answer"},
        {"half a status line", "HTTP/1.1 2", Fault::retry_later, ""},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", Fault::retry_later, "does not speak HTTP"},
        {"cut in the headers", head + "Content-Type: te", Fault::retry_later,
         "ended early: in the headers"},
        {"cut after a header", head + "Content-Type: text/html\r\n", Fault::retry_later,
         "ended early: in the headers"},
        {"cut after an early hint", "HTTP/1.1 103 Early Hints\r\n\r\n" + head, Fault::retry_later,
         "ended early: in the headers"},
        {"cut in the body", head + "Content-Length: 100\r\n\r\n12345", Fault::retry_later,
         "ended early"},
        {"cut before the body", head + "Content-Length: 100\r\n\r\n", Fault::retry_later,
         "ended early"},
        {"cut in a chunk", head + "Transfer-Encoding: chunked\r\n\r\n10\r\n12345",
         Fault::retry_later, ""},
        {"cut between chunks", head + "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
         Fault::retry_later, ""},
        {"a chunk that is none", head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
         Fault::retry_later, ""},
        {"a negative length", head + "Content-Length: -5\r\n\r\nhello", Fault::retry_later, ""},
        {"two lengths", head + "Content-Length: 3\r\nContent-Length: 100\r\n\r\nhello",
         Fault::retry_later, ""},
        {"too long by announcement", head + "Content-Length: 2000000\r\n\r\nhello", Fault::corrupt,
         "announces 2000000 bytes"},
        {"not gzip", head + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
         Fault::corrupt, "does not decode"},
        {"half of a gzip",
         ok(gzip(std::string(5000, 'a') + "end").substr(0, 20), "Content-Encoding: gzip\r\n"),
         Fault::corrupt, "only the beginning of a gzip"},
        {"an unknown encoding", head + "Content-Encoding: rot13\r\nContent-Length: 5\r\n\r\nhello",
         Fault::corrupt, "was not asked for"},
        {"two encodings",
         head +
             "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
         Fault::corrupt, "was not asked for"},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n", Fault::corrupt, "HTTP 204"},
        {"a redirect to nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", Fault::corrupt,
         "without a Location"},
        {"a redirect to a file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
         Fault::refused, "file:///etc/passwd"},
        {"a redirect to ftp", "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/\r\n\r\n",
         Fault::refused, "ftp://127.0.0.1/"},
        {"a redirect to rubbish", "HTTP/1.1 302 Found\r\nLocation: http://[::/\r\n\r\n",
         Fault::refused, "malformed URL"},
        {"a redirect to itself", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
         Fault::refused, "too many redirects"},
        {"403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n", Fault::refused,
         "HTTP 403 Forbidden"},
        {"404, cut short", "HTTP/1.1 404 Not Found\r\nContent-Length: 400\r\n\r\nno!\n",
         Fault::gone, "HTTP 404"},
    };
    RudeServer server;
    for (const Row& row : rows) {
        server.on("/x", [&row](Wire& wire, const Asked&) {
            wire.send(row.bytes);
            wire.close();
        });
        CurlTransport transport(options());
        CAPTURE(row.name);
        expect(fetch(transport, get(server.url("/x"))), row.fault, row.text);
    }
}

TEST_CASE("a connection that is refused or reset may work later") {
    CurlTransport transport(options());
    const std::string nobody = "http://127.0.0.1:" + std::to_string(unused_port()) + "/";
    const Fetched refused = fetch(transport, get(nobody));
    expect(refused, Fault::retry_later, "connection refused");
    CHECK(refused.failure().what == "GET " + nobody + ": connection refused");

    RudeServer server;
    server.on("/x", [](Wire& wire, const Asked&) { wire.reset(); });
    expect(fetch(transport, get(server.url("/x"))), Fault::retry_later, "");
}

TEST_CASE("an unknown host may be known later") {
    CurlTransport transport(options());
    expect(fetch(transport, get("http://nobody.invalid/")), Fault::retry_later, "");
}

TEST_CASE(
    "a peer that hangs is given up: before TLS, before the answer, in the body, in an error page, "
    "and at the deadline") {
    RudeServer server;
    server.on("/silent", [](Wire& wire, const Asked&) { wire.hang(); });
    server.on("/half", [](Wire& wire, const Asked&) {
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx");
        wire.hang();
    });
    server.on("/error", [](Wire& wire, const Asked&) {
        wire.send("HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nx");
        wire.hang();
    });
    CurlTransport transport(options());
    Fetched silent, half, error, handshake;
    transport.start(get(server.url("/silent")), silent.receiver());
    transport.start(get(server.url("/half")), half.receiver());
    transport.start(get(server.url("/error")), error.receiver());
    transport.start(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"),
                    handshake.receiver());
    wait_until(transport,
               [&] { return silent.ends + half.ends + error.ends + handshake.ends == 4; });

    expect(silent, Fault::retry_later, "no byte for 300ms");
    expect(half, Fault::retry_later, "no byte for 300ms");
    expect(error, Fault::retry_later, "HTTP 503");
    expect(handshake, Fault::retry_later, "no connection after 300ms");
}

TEST_CASE("a peer that sends a byte now and then is cut off by the deadline") {
    RudeServer server;
    server.on("/drip", [](Wire& wire, const Asked&) {
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while (wire.send("x") && wire.pause(10ms)) {
        }
    });
    // So long a silence that a busy machine does not make it.
    CurlTransport transport({.timeout = 20s});
    Fetched drip;
    Request dripping = get(server.url("/drip"));
    dripping.deadline = 400ms;
    transport.start(dripping, drip.receiver());
    wait_until(transport, [&] { return drip.ends == 1; });
    expect(drip, Fault::retry_later, "not done after 400ms");
    CHECK_FALSE(drip.body.empty());
}

TEST_CASE("a page, a file and an answer to a question that trickle are cut off soon") {
    RudeServer server;
    const auto trickle = [](const std::string& head) {
        return [head](Wire& wire, const Asked&) {
            wire.send(head);
            while (wire.send("x") && wire.pause(20ms)) {
            }
        };
    };
    server.on("/body", trickle("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"));
    server.on("/header", trickle("HTTP/1.1 200 OK\r\nX: "));
    server.on("/error", trickle("HTTP/1.1 404 Not Found\r\nContent-Length: 1000000\r\n\r\n"));
    CurlTransport transport({.timeout = 1s});
    Fetched page, file, question, header, error;
    transport.start(get(server.url("/body")), page.receiver());
    Request asks_file = get(server.url("/body"));
    asks_file.peer = Peer::alternate;
    transport.start(asks_file, file.receiver());
    Request asks = get(server.url("/body"));
    asks.post = "<methodCall/>";
    transport.start(asks, question.receiver());
    transport.start(get(server.url("/header")), header.receiver());
    transport.start(get(server.url("/error")), error.receiver());
    const auto began = std::chrono::steady_clock::now();
    wait_until(transport, [&] {
        return page.ends + file.ends + question.ends + header.ends + error.ends == 5;
    });
    CHECK(std::chrono::steady_clock::now() - began < 20s);
    expect(page, Fault::retry_later, "it trickles, ");
    expect(file, Fault::retry_later, "it trickles, ");
    REQUIRE_FALSE(question.ok());
    CHECK_THAT(question.failure().what, ContainsSubstring("POST " + server.url("/body")));
    CHECK_THAT(question.failure().what, ContainsSubstring("it trickles, "));
    expect(header, Fault::retry_later, "no byte for 1s");
    expect(error, Fault::gone, "HTTP 404");
}

TEST_CASE("what a busy server asks us to wait is passed on") {
    struct Row {
        const char* retry_after;
        std::chrono::seconds least, most;
    };
    const Row rows[] = {
        {"120", 120s, 120s},
        {"9999999", 24h, 24h},
        {"99999999999999999999999", 0s, 24h},
        {"Fri, 31 Dec 2100 23:59:59 GMT", 24h, 24h},
        {"Fri, 31 Dec 1999 23:59:59 GMT", 0s, 0s},
        {"-7", 0s, 0s},
        {"soon", 0s, 0s},
    };
    RudeServer server;
    CurlTransport transport(options());
    for (const Row& row : rows) {
        server.on("/x", answer("503 Busy", std::string("Retry-After: ") + row.retry_after + "\r\n",
                               "later"));
        const Fetched fetched = fetch(transport, get(server.url("/x")));
        CAPTURE(row.retry_after);
        expect(fetched, Fault::retry_later, "HTTP 503 Service Unavailable");
        CHECK(fetched.failure().wait.count() >= row.least.count());
        CHECK(fetched.failure().wait.count() <= row.most.count());
    }
}

TEST_CASE("a flood is cut off wherever it comes") {
    const std::string block(64 * 1024, 'x');
    const auto endless = [](std::string first, std::string again) {
        return [=](Wire& wire, const Asked&) {
            wire.send(first);
            while (wire.send(again)) {
            }
        };
    };
    const std::string chunk = "10000\r\n" + block + "\r\n";
    std::string header_lines, informational;
    for (int i = 0; i < 500; ++i) {
        header_lines += "X-Filler: " + std::string(100, 'y') + "\r\n";
        informational += "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    }
    RudeServer server;
    CurlTransport transport(options());
    const auto flood = [&](RudeServer::Script script) {
        server.on("/x", std::move(script));
        return fetch(transport, get(server.url("/x")));
    };

    SECTION("the body") {
        const Fetched fetched = flood(endless("HTTP/1.1 200 OK\r\n\r\n", block));
        expect(fetched, Fault::corrupt, "more than the 1048576 bytes");
        CHECK(fetched.body.size() <= 1 << 20);
    }
    SECTION("a chunked body") {
        expect(flood(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)),
               Fault::corrupt, "more than");
    }
    SECTION("a gzip bomb") {
        const Fetched fetched =
            flood([packed = ok(gzip(std::string(64 << 20, '\0')), "Content-Encoding: gzip\r\n")](
                      Wire& wire, const Asked&) { wire.send(packed); });
        expect(fetched, Fault::corrupt, "more than the 1048576 bytes");
        CHECK(fetched.body.size() <= 1 << 20);
    }
    SECTION("a gzip in which there is nothing") {
        std::string nothing;
        while (nothing.size() < block.size()) nothing += gzip("");
        expect(flood(endless("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", nothing)),
               Fault::corrupt, "more than the 1048576 bytes");
    }
    SECTION("headers") {
        expect(flood(endless("HTTP/1.1 200 OK\r\n", header_lines)), Fault::corrupt, "headers");
    }
    SECTION("one header") {
        expect(flood(endless("HTTP/1.1 200 OK\r\nX: ", block)), Fault::corrupt, "headers");
    }
    SECTION("answers before the answer") {
        expect(flood(endless("", informational)), Fault::corrupt, "headers");
    }
    SECTION("trailers") {
        expect(flood(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                             header_lines)),
               Fault::corrupt, "headers");
    }
    SECTION("an error page") {
        const Fetched fetched = flood(endless("HTTP/1.1 404 Not Found\r\n\r\n", block));
        expect(fetched, Fault::gone, "HTTP 404");
        CHECK(fetched.body.empty());
    }
    SECTION("a redirect") {
        const std::string head =
            "HTTP/1.1 302 Found\r\nLocation: /y\r\nTransfer-Encoding: chunked\r\n\r\n";
        expect(flood(endless(head, chunk)), Fault::corrupt, "in front of the answer");
    }
    CHECK(server.asked().size() == 1);
}

TEST_CASE("bytes after the end of an answer are no part of it, nor of the next") {
    RudeServer server;
    server.on("/x", ok("right") + ok("smuggled"));
    CurlTransport transport(options());
    for (int i = 0; i < 3; ++i) {
        const Fetched fetched = fetch(transport, get(server.url("/x")));
        REQUIRE(fetched.ok());
        CHECK(fetched.body == "right");
    }
}

TEST_CASE("the rate limit is shared among the running files") {
    RudeServer server;
    const std::string body(60'000, 'x');
    server.on("/file", ok(body));
    server.on("/page", ok("page"));
    TransportOptions limited = options();
    limited.file_rate = 200'000;
    CurlTransport transport(limited);
    REQUIRE(fetch(transport, get(server.url("/page"))).ok());

    Fetched files[4];
    const auto start = std::chrono::steady_clock::now();
    for (Fetched& fetched : files) {
        Request file = get(server.url("/file"));
        file.peer = Peer::file;
        file.encoding = Encoding::raw;
        transport.start(file, fetched.receiver());
    }
    wait_until(transport,
               [&] { return files[0].ends + files[1].ends + files[2].ends + files[3].ends == 4; });
    const auto took = std::chrono::steady_clock::now() - start;
    for (const Fetched& fetched : files) CHECK(fetched.body == body);
    // 240,000 bytes at 200,000 a second, and what is so small that curl has it in one piece counts
    // as well.
    CHECK(took >= 1200ms);
}

TEST_CASE("a file that rests for the rate limit ends without a callback when cancelled") {
    RudeServer server;
    server.on("/file", ok(std::string(1000, 'x')));
    server.on("/page", ok("page"));
    TransportOptions limited = options();
    limited.file_rate = 1;
    CurlTransport transport(limited);
    REQUIRE(fetch(transport, get(server.url("/page"))).ok());
    Fetched fetched;
    Request file = get(server.url("/file"));
    file.peer = Peer::file;
    transport.start(file, fetched.receiver());
    wait_until(transport, [&] { return fetched.body.size() == 1000; });
    REQUIRE(fetch(transport, get(server.url("/page"))).ok());
    CHECK(fetched.ends == 0);
    transport.cancel_all();
    REQUIRE(fetch(transport, get(server.url("/page"))).ok());
    CHECK(fetched.ends == 0);
}
