// What a receiver may do, and how the waiting for transfers ends.
#include <stdexcept>
#include <thread>
#include <unistd.h>

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
    options.timeout = 500ms;
    return options;
}

}  // namespace

TEST_CASE("a receiver may start the next request from each of its callbacks") {
    RudeServer server;
    server.on("/a", ok("a"));
    CurlTransport transport(options());
    int ended = 0;
    const auto start = [&](auto& self, int depth) -> void {
        const auto more = [&, depth] {
            if (depth < 3) self(self, depth + 1);
        };
        transport.start(get(server.url("/a")), {[=](const Reply&) -> Done {
                                                    more();
                                                    return Nothing{};
                                                },
                                                [=](std::string_view) -> Done {
                                                    more();
                                                    return Nothing{};
                                                },
                                                [=, &ended](Outcome<Reply> outcome) {
                                                    CHECK(outcome.ok());
                                                    ++ended;
                                                    more();
                                                }});
    };
    start(start, 0);
    wait_until(transport, [&] { return ended == 1 + 3 + 9 + 27; });
    CHECK(ended == 40);
}

TEST_CASE("a failure of the receiver ends the transfer with it") {
    RudeServer server;
    server.on("/a", ok("aaaa"));
    CurlTransport transport(options());
    Fetched fetched;
    SECTION("from on_head") {
        Receiver receiver = fetched.receiver();
        receiver.on_head = [](const Reply&) -> Done {
            return Failure{Fault::corrupt, "not what we know"};
        };
        transport.start(get(server.url("/a")), receiver);
    }
    SECTION("from on_body") {
        Receiver receiver = fetched.receiver();
        receiver.on_body = [](std::string_view) -> Done {
            return Failure{Fault::corrupt, "not what we know"};
        };
        transport.start(get(server.url("/a")), receiver);
    }
    wait_until(transport, [&] { return fetched.ends > 0; });
    REQUIRE_FALSE(fetched.ok());
    CHECK(fetched.failure().what == "not what we know");
    CHECK(fetched.body.empty());
}

TEST_CASE("what a receiver throws comes out of wait, and the transport goes on") {
    RudeServer server;
    server.on("/a", ok("aaaa"));
    server.on("/empty", ok(""));
    CurlTransport transport(options());
    Fetched fetched;
    Receiver receiver = fetched.receiver();
    std::string target = "/a";
    SECTION("on_head") {
        receiver.on_head = [](const Reply&) -> Done { throw Fatal(5, "disk gone"); };
    }
    SECTION("on_head without a body") {
        target = "/empty";
        receiver.on_head = [](const Reply&) -> Done { throw Fatal(5, "disk gone"); };
    }
    SECTION("on_body") {
        receiver.on_body = [](std::string_view) -> Done { throw Fatal(5, "disk gone"); };
    }
    SECTION("on_end") {
        receiver.on_end = [&](Outcome<Reply>) {
            ++fetched.ends;
            throw Fatal(5, "disk gone");
        };
    }
    transport.start(get(server.url(target)), receiver);
    CHECK_THROWS_AS(wait_until(transport, [] { return false; }), Fatal);
    wait_until(transport, [&] { return fetched.ends > 0; });
    CHECK(fetched.ends == 1);
    CHECK(fetch(transport, get(server.url("/a"))).ok());
}

TEST_CASE("wait ends by a wake from another thread, by a descriptor, and by the time given") {
    CurlTransport transport(options());
    SECTION("wake, before or after") {
        std::thread waker([&] { transport.wake(); });
        transport.wait(1h, -1);
        waker.join();
    }
    SECTION("a descriptor") {
        int pipe[2];
        REQUIRE(::pipe(pipe) == 0);
        REQUIRE(::write(pipe[1], "x", 1) == 1);
        transport.wait(1h, pipe[0]);
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
    SECTION("time") {
        transport.wait(1ms, -1);
    }
    SECTION("no time") {
        transport.wait(-1s, -1);
    }
    SUCCEED("it came back");
}

TEST_CASE("wait comes back when a piece of a body arrived") {
    RudeServer server;
    server.on("/a", [](Wire& wire, const Asked&) {
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.");
        wire.hang();
    });
    TransportOptions patient = options();
    patient.timeout = 1h;
    CurlTransport transport(patient);
    Fetched fetched;
    transport.start(get(server.url("/a")), fetched.receiver());
    while (fetched.body.empty()) transport.wait(1h, -1);
    CHECK(fetched.body == "half.");
    CHECK(fetched.ends == 0);
}

TEST_CASE("cancelled transfers end without a callback, from inside a callback too") {
    RudeServer server;
    server.on("/slow", [](Wire& wire, const Asked&) {
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.");
        wire.hang();
    });
    server.on("/a", ok("a"));
    CurlTransport transport(options());
    Fetched slow, cancelling, queued;
    transport.start(get(server.url("/slow")), slow.receiver());
    wait_until(transport, [&] { return !slow.body.empty(); });

    SECTION("from outside") {
        transport.start(get(server.url("/a")), queued.receiver());
        transport.cancel_all();
    }
    for (const int which : {0, 1, 2}) {
        DYNAMIC_SECTION("from callback " << which) {
            bool called = false;
            const auto cancel = [&] {
                called = true;
                transport.start(get(server.url("/a")), queued.receiver());
                transport.cancel_all();
            };
            Receiver receiver = cancelling.receiver();
            if (which == 0) {
                receiver.on_head = [&](const Reply&) -> Done {
                    cancel();
                    return Nothing{};
                };
            } else if (which == 1) {
                receiver.on_body = [&](std::string_view) -> Done {
                    cancel();
                    return Nothing{};
                };
            } else {
                receiver.on_end = [&](Outcome<Reply>) { cancel(); };
            }
            transport.start(get(server.url("/a")), receiver);
            wait_until(transport, [&] { return called; });
            REQUIRE(called);
        }
    }
    // Anything still running would be heard of while another request goes through.
    REQUIRE(fetch(transport, get(server.url("/a"))).ok());
    CHECK(slow.ends == 0);
    CHECK(cancelling.ends == 0);
    CHECK(queued.ends == 0);
}
