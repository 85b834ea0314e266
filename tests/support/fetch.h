// One request through a transport, and all that its receiver was told.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "pep381d/net/transport.h"

#include "support/catch.h"

namespace pep381d::test {

struct Fetched {
    int heads = 0;
    int ends = 0;
    Reply head;
    std::string body;
    std::optional<Outcome<Reply>> end;

    bool ok() const { return end && end->ok(); }
    const Failure& failure() const { return end->failure(); }

    Receiver receiver() {
        return {[this](const Reply& reply) -> Done {
                    ++heads;
                    head = reply;
                    return Nothing{};
                },
                [this](std::string_view bytes) -> Done {
                    body += bytes;
                    return Nothing{};
                },
                [this](Outcome<Reply> outcome) {
                    ++ends;
                    end = std::move(outcome);
                }};
    }
};

inline Request get(std::string url) {
    Request request;
    request.url = std::move(url);
    request.most_bytes = 1 << 20;
    return request;
}

// Waits until `done` holds; a transport that makes no progress fails the test by its missing
// result, not by hanging it.
template <class Condition>
void wait_until(Transport& transport, Condition done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done() && std::chrono::steady_clock::now() < limit)
        transport.wait(std::chrono::seconds(1), -1);
}

inline Fetched fetch(Transport& transport, Request request) {
    Fetched fetched;
    transport.start(std::move(request), fetched.receiver());
    wait_until(transport, [&] { return fetched.ends > 0; });
    return fetched;
}

// It ended once, with this fault, and with a message that names the URL and says so.
inline void expect(const Fetched& fetched, Fault fault, const std::string& text) {
    REQUIRE(fetched.ends == 1);
    REQUIRE_FALSE(fetched.ok());
    CHECK(static_cast<int>(fetched.failure().fault) == static_cast<int>(fault));
    CHECK_THAT(fetched.failure().what, ContainsSubstring(text));
    CHECK(fetched.failure().what.starts_with("GET http"));
}

}  // namespace pep381d::test
