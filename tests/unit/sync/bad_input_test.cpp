// A master that floods, trickles and misleads, over real sockets: what is wrong with one project is
// told of that project, in bounded time and memory, and the others go on.
#include <atomic>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "pep381d/net/curl_transport.h"

#include "support/catch.h"
#include "support/gzip.h"
#include "support/rude_server.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace pep381d::test;
using namespace sample;

namespace {

// Under sanitizers most of the memory is their shadow, and what they keep of what was freed.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool memory_is_ours = false;
#else
constexpr bool memory_is_ours = true;
#endif

// From a server that sends nothing. Under ThreadSanitizer the loop itself may take seconds for what
// the others send.
#if defined(__SANITIZE_THREAD__)
constexpr auto silence = 15s;
#else
constexpr auto silence = 3s;
#endif

// Resident memory of this process.
std::int64_t memory() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t all = 0, resident = 0;
    statm >> all >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

std::string method_of(const Asked& asked) {
    const auto name = asked.body.find("<methodName>") + 12;
    return asked.body.substr(name, asked.body.find("</methodName>") - name);
}

struct RudeMaster : SyncWorld {
    RudeServer server;
    CurlTransport curl{{.timeout = silence}};
    std::int64_t before = 0;
    std::int64_t most_memory = 0;

    RudeMaster() {
        transport = &curl;
        policy.master = policy.master_shown = server.url("");
        policy.timeout = silence;
        server.on("/pypi", [this](Wire& wire, const Asked& asked) {
            wire.send(ok(network.answers.at(method_of(asked)).body));
        });
        hooks.report = [this](const Progress&) {
            const std::int64_t now = memory();
            if (before == 0) before = now;  // here, since making a bomb takes memory too
            most_memory = std::max(most_memory, now - before);
            clock.advance(10ms);  // a turn: no pause lasts for ever
        };
    }

    // A project with one file of those bytes.
    File offer(const std::string& name) {
        File file = sdist(name + "-1.0.tar.gz");
        file.url = server.url(file.url.substr(file.url.find("/packages/")));
        const ProjectPage offered = page(name, 5, {file});
        listed[name] = newest = 5;
        server.on(
            "/simple/" + name + "/",
            ok(project_json(offered), "Content-Type: application/vnd.pypi.simple.v1+json\r\n"));
        server.on(target_of(file), ok(file.name.text()));
        return file;
    }
    std::string target_of(const File& file) { return file.url.substr(server.url("").size()); }
    void spoil_page(const std::string& name, RudeServer::Script script) {
        offer(name);
        server.on("/simple/" + name + "/", std::move(script));
    }
    void spoil_file(const std::string& name, RudeServer::Script script) {
        server.on(target_of(offer(name)), std::move(script));
    }
};

const std::string json_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.pypi.simple.v1+json\r\n";

RudeServer::Script endless(std::string first, std::string again,
                           std::chrono::milliseconds pause = 0ms) {
    return [=](Wire& wire, const Asked&) {
        wire.send(first);
        while (wire.send(again) && wire.pause(pause)) {
        }
    };
}

}  // namespace

TEST_CASE("bad pages and files cost bounded time and memory, are told by URL, and stop no others") {
    RudeMaster world;
    const std::string block(64 * 1024, ' ');
    world.spoil_page("trickle", endless(json_head + "\r\n{", " ", 20ms));
    world.spoil_page("flood", endless(json_head + "\r\n{", block));
    world.spoil_page("headers", endless(json_head, "X-Filler: " + std::string(200, 'x') + "\r\n"));
    world.spoil_page("bomb",
                     [packed = gzip(std::string(200 << 20, ' '))](Wire& wire, const Asked&) {
                         wire.send(answer("200 OK",
                                          "Content-Type: application/vnd.pypi.simple.v1+json\r\n"
                                          "Content-Encoding: gzip\r\n",
                                          packed));
                     });
    world.spoil_page("redirects", [](Wire& wire, const Asked&) {
        wire.send(answer("302 Found", "Location: /simple/redirects/\r\n", ""));
    });
    world.spoil_page("cut", [](Wire& wire, const Asked&) {
        wire.send(json_head + "Content-Length: 1000\r\n\r\n{\"meta\":");
        wire.close();
    });
    // Long enough to trickle for minutes: its bytes are those of its name.
    const std::string slow = "slowfile" + std::string(200, 'e');
    world.spoil_file(slow, endless("HTTP/1.1 200 OK\r\n\r\n", "x", 1s));
    world.spoil_file("longfile", endless("HTTP/1.1 200 OK\r\n\r\n", block));
    const File first = world.offer("a-good-one");
    const File last = world.offer("zzz");

    const auto began = std::chrono::steady_clock::now();
    REQUIRE_FALSE(world.pass());
    CHECK(std::chrono::steady_clock::now() - began < 13 * silence);
    if (memory_is_ours) CHECK(world.most_memory < (160LL << 20));

    const std::pair<std::string, std::string> causes[] = {
        {"headers", "headers"},
        {"redirects", "too many redirects"},
        {"cut", "ended early"},
    };
    for (const auto& [name, cause] : causes) {
        CAPTURE(name);
        CHECK_THAT(world.cause_of(name),
                   ContainsSubstring("GET " + world.server.url("/simple/" + name + "/: ")));
        CHECK_THAT(world.cause_of(name), ContainsSubstring(cause));
        CHECK_FALSE(world.there("simple/" + name + "/index.html"));
    }
    // Large ones, while they last, may leave no room for one another, nor for a small one.
    for (const auto& [name, cause] : {std::pair{"flood", "more than the"},
                                      {"bomb", "more than the"},
                                      {"trickle", "it trickles, "}})
        CHECK_THAT(
            world.cause_of(name),
            ContainsSubstring("GET " + world.server.url("/simple/") + name + "/: ") &&
                (ContainsSubstring(cause) || ContainsSubstring("too many large pages at a time")));
    CHECK_FALSE(world.there("simple/trickle/index.html"));
    const std::string packages = "GET " + world.server.url("/packages/");
    CHECK_THAT(world.cause_of(slow), ContainsSubstring(packages));
    CHECK_THAT(world.cause_of(slow), ContainsSubstring("it trickles, "));
    CHECK_THAT(world.cause_of("longfile"), ContainsSubstring(packages));
    for (const File& file : {first, last}) CHECK(world.bytes(*file_path(file)) == file.name.text());
    CHECK(world.there("simple/a-good-one/index.html"));
    CHECK(world.there("simple/zzz/index.html"));
    CHECK(world.state.pending() == 8);
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("long pages do not add up in memory, whatever their files do, and each has its turn") {
    std::string files;  // the server's threads end before it
    RudeMaster world;
    for (int i = 0; i < 60'000; ++i)
        files += fmt::format(
            R"({{"filename":"a-{}.zip","url":"/none/{}","hashes":{{"sha256":"{:064x}"}}}},)", i,
            std::string(60, 'x'), i);
    files.pop_back();
    for (int i = 0; i < 16; ++i) {
        const std::string name = "long" + std::to_string(i);
        world.spoil_page(name, [&files, name](Wire& wire, const Asked&) {
            wire.send(json_head + "\r\n" +
                      R"({"meta":{"api-version":"1.4","_last-serial":5},"versions":[],"name":")" +
                      name + R"(","files":[)");
            wire.send(files);
            wire.send("]}");
            wire.close();
        });
    }
    SECTION("they hang") {
        world.server.on("/none/" + std::string(60, 'x'),
                        [](Wire& wire, const Asked&) { wire.hang(); });
        REQUIRE_FALSE(world.pass());
        CHECK(world.state.pending() == 16);
    }
    SECTION("they are not wanted") {
        world.policy.page.files = false;
        REQUIRE_FALSE(world.pass());
        CHECK(world.state.pending() == 0);
    }
    // 160 to 320 MB, by how far the threads are apart; 600 to 1000 where nothing bounds them.
    if (memory_is_ours) CHECK(world.most_memory < (400LL << 20));
}

TEST_CASE("a quarantine does not wait until a long page is done with") {
    std::atomic<bool> sent = false;  // the server's threads end before these
    std::atomic<int> asked = 0;
    RudeMaster world;
    world.policy.page.files = false;
    ProjectPage foo = page("foo", 5, {});
    for (int i = 0; i < 1100; ++i) foo.files.push_back(sdist(fmt::format("foo-{}.tar.gz", i)));
    const std::string type = "Content-Type: application/vnd.pypi.simple.v1+json\r\n";
    world.server.on("/simple/foo/", ok(project_json(foo), type));
    world.listed["foo"] = world.newest = 5;
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.there("simple/foo/index.v1_json"));

    // With what we have of foo it fills the room.
    const std::size_t length = (48 << 20) - 2 * foo.files.size() * sizeof(File);
    world.spoil_page("long", [&sent, length](Wire& wire, const Asked&) {
        wire.send(json_head + "\r\n");
        wire.send(std::string(length, ' '));
        sent = true;
        wire.hang();
    });
    world.server.on("/simple/foo/", [&sent, &asked, type](Wire& wire, const Asked&) {
        ++asked;
        while (!sent && wire.pause(10ms)) {
        }
        wire.pause(300ms);  // what was sent is read; were it not yet, the room would not be full
        wire.send(answer("200 OK", type, project_json(quarantined_foo(9))));
    });
    world.event("long", "create", 8);
    world.event("foo", "project quarantined", 9);
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.page_of("foo"), ContainsSubstring("quarantined"));
    CHECK(asked == 1);
}

TEST_CASE("a question that is answered by a trickle, a flood or headers fails soon and by name") {
    RudeMaster world;
    world.offer("foo");
    const std::string start = "<?xml version='1.0'?><methodResponse><params><param><value>";
    std::string cause;
    SECTION("a trickle") {
        world.server.on("/pypi", endless("HTTP/1.1 200 OK\r\n\r\n" + start, " ", 20ms));
        cause = "it trickles, ";
    }
    SECTION("a flood that is no XML-RPC") {
        world.server.on("/pypi", endless("HTTP/1.1 200 OK\r\n\r\n" + start + "<int>",
                                         std::string(64 * 1024, '1')));
        cause = "64 KiB";
    }
    SECTION("headers") {
        world.server.on(
            "/pypi", endless("HTTP/1.1 200 OK\r\n", "X-Filler: " + std::string(200, 'x') + "\r\n"));
        cause = "headers";
    }
    // With a cursor the first question is one whose answer is read as it comes.
    {
        State::Change change(world.state);
        world.state.set(Note::cursor, 1);
        change.commit();
    }
    const auto began = std::chrono::steady_clock::now();
    const auto failure = world.pass();
    CHECK(std::chrono::steady_clock::now() - began < 13 * silence);
    if (memory_is_ours) CHECK(world.most_memory < (64LL << 20));
    REQUIRE(failure);
    CHECK_THAT(failure->what, ContainsSubstring("POST " + world.server.url("/pypi")));
    CHECK_THAT(failure->what, ContainsSubstring(cause));
}
