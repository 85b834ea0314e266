// What the web server bears: clients that are slow, silent, many or malformed, and its own end.
#include <future>
#include <list>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "pep381d/base/outcome.h"
#include "pep381d/serve/web_server.h"

#include "support/catch.h"
#include "support/served_mirror.h"

using namespace pep381d;
using namespace served;

TEST_CASE("a large file arrives whole, and a client that does not read holds up nobody") {
    const Mirror mirror;
    std::string bytes(8 * 1024 * 1024, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 / 7);
    mirror.directory.write("web/packages/a/large.zip", bytes);
    WebClient slow(mirror.server.port());
    slow.send("GET /packages/a/large.zip HTTP/1.1\r\nHost: m\r\n\r\n");
    WebClient silent(mirror.server.port());
    silent.send("GET /simple/");
    CHECK(mirror.get("/simple/foo-bar/").body == html_page);
    CHECK((mirror.get("/packages/a/large.zip").body == bytes));
    CHECK((slow.receive().body == bytes));
}

TEST_CASE("clients that never finish a request make room once they take half of all connections") {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit few{128, before.rlim_max};  // of which 48 are the server's connections
    ::setrlimit(RLIMIT_NOFILE, &few);
    const Mirror mirror(std::chrono::milliseconds(0));
    ::setrlimit(RLIMIT_NOFILE, &before);

    const std::string large(8 * 1024 * 1024, 'x');
    mirror.directory.write("web/packages/a/large.zip", large);
    WebClient reader(mirror.server.port());
    reader.send("GET /packages/a/large.zip HTTP/1.1\r\nHost: m\r\n\r\n");
    std::vector<std::unique_ptr<WebClient>> slow;
    for (int i = 0; i < 60; ++i) {
        slow.push_back(std::make_unique<WebClient>(mirror.server.port()));
        slow.back()->send("GET /simple/ HTTP/1.1\r\nHost:");
    }
    CHECK(mirror.get("/simple/foo-bar/").body == html_page);
    CHECK(slow.front()->closed());
    CHECK((reader.receive().body == large));
}

TEST_CASE("who waits for a connection is served once another one ends") {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit few{64, before.rlim_max};  // of which 24 are the server's connections
    ::setrlimit(RLIMIT_NOFILE, &few);
    const Mirror mirror;
    ::setrlimit(RLIMIT_NOFILE, &before);

    const std::string request = "GET /last-modified HTTP/1.1\r\nHost: m\r\n\r\n";
    std::list<WebClient> all;
    for (int i = 0; i < 24; ++i) {
        all.emplace_back(mirror.server.port());
        all.back().send(request);
        REQUIRE(all.back().receive().status == 200);
    }
    WebClient waiting(mirror.server.port());
    waiting.send(request);
    all.pop_front();
    CHECK(waiting.receive().status == 200);
}

TEST_CASE("a request that is too long or not HTTP is refused, and the server lives on") {
    const Mirror mirror;
    for (const std::string& request :
         {"GET /" + std::string(100000, 'a') + " HTTP/1.1\r\nHost: m\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: m\r\nX: " + std::string(100000, 'a') + "\r\n\r\n",
          std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 13),
          std::string("\r\n\r\nGET\r\n\r\n"),
          std::string("GET /simple/\0/ HTTP/1.1\r\n\r\n", 27)}) {
        WebClient client(mirror.server.port());
        try {
            client.send(request);
        } catch (const std::runtime_error&) {
            // The server hung up while we were still sending.
        }
    }
    CHECK(mirror.get("/last-modified").status == 200);
}

TEST_CASE("a server may end while it refuses requests") {
    const Mirror mirror;
    const std::string root = (mirror.directory.path() / "web").string();
    const std::string malformed = "GET / HTTP/1.1\r\nHost: m\r\nContent-Length: x\r\n\r\n";
    SilentLog log;
    for (int stop_at = 0; stop_at < 100; ++stop_at) {
        auto server = std::make_unique<WebServer>(WebServerOptions{root, "127.0.0.1:0"}, log);
        std::list<WebClient> clients;
        for (int k = 0; k < 100; ++k) clients.emplace_back(server->port());
        std::promise<void> begun;
        std::thread crowd([&] {
            int sent = 0;
            for (WebClient& client : clients) {
                if (sent++ == stop_at) begun.set_value();
                try {
                    client.send(malformed);
                } catch (const std::runtime_error&) {
                    // The server has ended.
                }
            }
        });
        begun.get_future().wait();
        server.reset();
        crowd.join();
    }
}

TEST_CASE("a file that this machine cannot read is an error, not an absence") {
    if (::geteuid() == 0) return;  // root reads everything
    const Mirror mirror;
    ::chmod((mirror.directory.path() / "web" / wheel).c_str(), 0);
    CHECK(mirror.get("/" + wheel).status == 500);
}

TEST_CASE("a directory that is not there ends the start") {
    SilentLog log;
    try {
        WebServer server({"/no/such/web", "127.0.0.1:0"}, log);
        FAIL("no exception");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK_THAT(fatal.what(), ContainsSubstring("/no/such/web"));
    }
}

TEST_CASE("a server gives its port back when it ends") {
    const Mirror mirror;
    const std::string root = (mirror.directory.path() / "web").string();
    SilentLog log;
    std::string address;
    {
        WebServer first({root, "127.0.0.1:0"}, log);
        address = fmt::format("127.0.0.1:{}", first.port());
        CHECK(get(first.port(), "/last-modified").status == 200);
    }
    WebServer second({root, address}, log);
    CHECK(get(second.port(), "/last-modified").status == 200);
}
