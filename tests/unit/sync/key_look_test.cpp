// What comes where a master's key belongs, over real sockets.
#include "pep381d/sync/key_look.h"

#include "pep381d/net/curl_transport.h"

#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/openssl_keys.h"
#include "support/rude_server.h"

using namespace pep381d;
using namespace pep381d::test;
using namespace std::chrono_literals;

namespace {

struct World {
    RudeServer server;
    CurlTransport transport{TransportOptions{}};
    ManualClock clock;
    Policy policy;
    std::optional<KeyArrived> answer;
    KeyLook look{transport, policy, clock,
                 [this](Message message) { answer = std::get<KeyArrived>(message); }};

    KeyArrived ask(const std::string& master) {
        policy.master = policy.master_shown = master;
        answer.reset();
        look.start();
        while (!answer) transport.wait(1s, -1);
        return *answer;
    }
};

}  // namespace

TEST_CASE("a key is taken from /serverkey, and from no other place") {
    World world;
    const auto key = ok(std::string(openssl_made::dsa_public));
    SECTION("however the host is written") {
        world.server.on("/serverkey", key);
        const std::string url = world.server.url("");
        const auto port = url.substr(url.rfind(':'));
        for (const std::string host : {"http://127.0.0.1", "http://127.1", "http://0x7f000001"})
            CHECK(world.ask(host + port).pem);
    }
    SECTION("with a slash behind it") {
        world.server.on("/serverkey", answer("301 Moved", "Location: /serverkey/\r\n", ""));
        world.server.on("/serverkey/", key);
        CHECK(world.ask(world.server.url("")).pem);
    }
    SECTION("elsewhere") {
        world.server.on("/serverkey", answer("302 Found", "Location: /login\r\n", ""));
        world.server.on("/login", key);
        const KeyArrived answer = world.ask(world.server.url(""));
        REQUIRE(answer.failure);
        CHECK(answer.failure->fault == Fault::corrupt);
        CHECK_THAT(answer.failure->what, ContainsSubstring("/login, which is no key"));
    }
}
