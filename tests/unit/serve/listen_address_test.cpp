#include "pep381d/serve/listen_address.h"

#include <fmt/format.h>

#include "pep381d/base/outcome.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("listen.address is an address in numbers and a port") {
    const std::pair<const char*, ListenAddress> rows[] = {
        {"127.0.0.1:8381", {"127.0.0.1", 8381}},
        {"0.0.0.0:80", {"0.0.0.0", 80}},
        {"[::1]:8381", {"::1", 8381}},
        {"[::]:65535", {"::", 65535}},
        {":8381", {"", 8381}},
        {"127.0.0.1:0", {"127.0.0.1", 0}},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(text);
        CHECK(parse_listen_address(text) == expected);
    }
    for (const char* wrong :
         {"", "8381", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
          "127.0.0.1: 80", "::1:8381", "[::1]", "[127.0.0.1]:80", "[]:80", "localhost:8381",
          "256.0.0.1:80", "[::1:80", "::1]:80"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_listen_address(wrong));
    }
}

TEST_CASE("a mistake in listen.address says what to write") {
    try {
        listen_on("localhost:8381");
        FAIL("no exception");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 2);
        CHECK_THAT(fatal.what(), ContainsSubstring("listen.address localhost:8381"));
        CHECK_THAT(fatal.what(), ContainsSubstring("127.0.0.1:8381"));
    }
}

TEST_CASE("a port in use is named with what to do") {
    const Descriptor holder = listen_on("127.0.0.1:0");
    const std::string address = fmt::format("127.0.0.1:{}", port_of(holder));
    try {
        listen_on(address);
        FAIL("no exception");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK(std::string(fatal.what()) ==
              "listen.address " + address +
                  ": Address already in use; choose another or stop the program that holds it");
    }
}

TEST_CASE("an address of another machine cannot be listened on") {
    try {
        listen_on("192.0.2.1:0");
        FAIL("no exception");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK_THAT(fatal.what(), ContainsSubstring("192.0.2.1:0"));
    }
}

TEST_CASE("without a host every address is listened on") {
    const Descriptor socket = listen_on(":0");
    CHECK(port_of(socket) != 0);
}
