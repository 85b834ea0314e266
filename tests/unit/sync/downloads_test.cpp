// Where files come from: large ones that break off and go on, and alternates.
#include "pep381d/sync/downloads.h"

#include <limits>

#include "pep381d/net/curl_transport.h"

#include "support/catch.h"
#include "support/fetch.h"
#include "support/rude_server.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

std::string large_bytes() {
    std::string bytes(3'000'000, 'b');
    for (std::size_t i = 0; i < bytes.size(); i += 97) bytes[i] = static_cast<char>(i);
    return bytes;
}

constexpr std::size_t cut = 2'000'000;
// What is gathered in memory is lost: the part ends with the last full write.
constexpr std::int64_t least_kept = cut - 64 * 1024;

struct World : SyncWorld {
    std::string bytes = large_bytes();
    File file = sdist("large-1.0.tar.gz");
    ProjectPage large;

    World() : large(page("large", 9, {})) {
        file.digests = {{Algorithm::sha256, sha256(bytes)}};
        file.size = static_cast<std::int64_t>(bytes.size());
        offer();
        answer().cut = cut;
    }
    void offer() {
        large.files = {file};
        publish(large);
        answer().body = bytes;
    }
    ScriptedTransport::Answer& answer() { return network.answers[file.url]; }
    std::vector<std::int64_t> first_bytes() { return network.first_bytes[file.url]; }
    std::string published() { return SyncWorld::bytes(*file_path(file)); }
    std::vector<std::filesystem::path> staged() {
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(directory.path() / "staging"))
            found.push_back(entry.path());
        return found;
    }
    void spoil_part() {
        REQUIRE(staged().size() == 1);
        std::fstream(staged()[0], std::ios::in | std::ios::out | std::ios::binary) << "spoilt";
    }
};

}  // namespace

TEST_CASE("a large file that broke off goes on from there with the next try") {
    World world;
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.cause_of("large"), ContainsSubstring("ended early"));
    REQUIRE(world.staged().size() == 1);
    CHECK(world.staged()[0].extension() == ".part");
    SECTION("in one go") {
        world.answer().cut = std::string::npos;
    }
    SECTION("after breaking off once more") {
        world.answer().cut = cut + 500'000;
        REQUIRE_FALSE(world.pass());
        world.answer().cut = std::string::npos;
    }
    REQUIRE_FALSE(world.pass());
    CHECK(world.first_bytes()[0] == 0);
    CHECK(world.first_bytes()[1] >= least_kept);
    CHECK(world.first_bytes().back() >= world.first_bytes()[1]);
    CHECK(world.published() == world.bytes);
    CHECK(world.state.pending() == 0);
    CHECK(world.staged().empty());
}

TEST_CASE("what had arrived when the daemon was stopped is not fetched again") {
    World world;
    world.answer().hangs = true;
    int turns = 0;
    world.hooks.commands = [&] {
        return world.network.asked[world.file.url] > 0 && ++turns > 3 ? Command::stop
                                                                      : Command::none;
    };
    REQUIRE_FALSE(world.pass());
    CHECK(world.staged().size() == 1);
    world.hooks = {};
    world.answer() = {world.bytes, "application/octet-stream"};
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.first_bytes().size() == 2);
    CHECK(world.first_bytes()[1] >= least_kept);
    CHECK(world.published() == world.bytes);
}

TEST_CASE("a part to which nothing is missing is the file") {
    World world;
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.staged().size() == 1);
    std::ofstream(world.staged()[0], std::ios::binary) << world.bytes;
    REQUIRE_FALSE(world.pass());
    CHECK(world.first_bytes().size() == 1);
    CHECK(world.published() == world.bytes);
    CHECK(world.staged().empty());
}

TEST_CASE("a server that knows no ranges begins anew") {
    World world;
    REQUIRE_FALSE(world.pass());
    world.answer().cut = std::string::npos;
    world.answer().ranges = false;
    REQUIRE_FALSE(world.pass());
    CHECK(world.first_bytes().size() == 2);
    CHECK(world.published() == world.bytes);
}

TEST_CASE("a server that refuses ranges is asked for the whole file") {
    World world;
    REQUIRE_FALSE(world.pass());
    world.answer().cut = std::string::npos;
    world.answer().refuses_ranges = true;
    REQUIRE_FALSE(world.pass());
    CHECK(world.first_bytes().size() == 3);
    CHECK(world.published() == world.bytes);
}

TEST_CASE("a part that was wrong is dropped, and the whole file asked for, once") {
    World world;
    REQUIRE_FALSE(world.pass());
    world.answer().cut = std::string::npos;
    SECTION("other bytes") {
        world.spoil_part();
        REQUIRE_FALSE(world.pass());
        CHECK(world.published() == world.bytes);
        CHECK(world.state.pending() == 0);
    }
    SECTION("the server has less than that") {
        world.answer().body.resize(1'000'000);
        REQUIRE_FALSE(world.pass());
        CHECK_THAT(world.cause_of("large"), ContainsSubstring("1000000 bytes instead of"));
    }
    SECTION("and so is the whole file") {
        world.answer().body[2'900'000] = '!';
        REQUIRE_FALSE(world.pass());
        CHECK_THAT(world.cause_of("large"), ContainsSubstring(world.file.url));
        CHECK_THAT(world.cause_of("large"), ContainsSubstring("its sha256 is"));
    }
    REQUIRE(world.first_bytes().size() == 3);
    CHECK(world.first_bytes()[1] >= least_kept);
    CHECK(world.first_bytes()[2] == 0);
    CHECK(world.staged().empty());
}

TEST_CASE("a file with nothing but a weak digest begins anew") {
    World world;
    world.file.digests = {{Algorithm::md5, from_hex("900150983cd24fb0d6963f7d28e17f72").value()}};
    world.offer();
    REQUIRE_FALSE(world.pass());
    CHECK(world.staged().empty());
    REQUIRE_FALSE(world.pass());
    CHECK(world.first_bytes() == std::vector<std::int64_t>{0, 0});
}

TEST_CASE("a part that is hashed again holds the loop up for no more than a slice") {
    World world;
    const std::string bytes(20'000'000, 'b');
    File file = world.file;
    file.path = *file_path(file);
    file.digests = {{Algorithm::sha256, sha256(bytes)}};
    file.size = static_cast<std::int64_t>(bytes.size());
    world.directory.write("staging/" + to_hex(sha256(bytes)) + ".1.part",
                          std::string_view(bytes).substr(0, 15'000'000));
    Staging staging(world.tree);
    Downloads downloads(world.network, staging, world.policy, world.clock, world.log, false);
    std::optional<Outcome<Downloads::Fetched>> end;
    int heard = 0;
    downloads.start(
        file, {0, false}, false, [&] { ++heard; },
        [&](Outcome<Downloads::Fetched> outcome) { end = std::move(outcome); });
    for (int turn = 0; turn < 4; ++turn) CHECK(downloads.pump());
    CHECK_FALSE(downloads.pump());
    CHECK_FALSE(end);
    CHECK(heard == 4);
    world.network.answers[file.url] = {bytes, "application/octet-stream"};
    world.network.wait(0ms, -1);
    REQUIRE((end && end->ok()));
    CHECK(lies_whole(world.tree, end->value().staged, expected_of(file, false)).value());
    CHECK(world.network.first_bytes[file.url] == std::vector<std::int64_t>{15'000'000});
    CHECK(downloads.bytes_arrived() == 5'000'000);
}

TEST_CASE("a deadline grows with the size, and with what a rate limit leaves to a transfer") {
    CHECK(deadline_for(0, 30s, 0) == 60s);
    CHECK(deadline_for(16'384'000, 30s, 0) == 1060s);
    CHECK(deadline_for(16'384'000, 30s, 1 << 20) == 1060s);
    CHECK(deadline_for(16'384'000, 30s, 2048) == 16'060s);
    CHECK(deadline_for(100, 30s, 1) == 160s);
}

TEST_CASE("the deadline of the largest size that there can be is a time that curl takes") {
    constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t share : {0, 1, 1000, 1 << 30}) {
        const auto deadline = deadline_for(largest, 30s, share);
        CHECK(deadline > std::chrono::hours(24 * 365));
        test::RudeServer server;
        server.on("/file", test::ok("bytes"));
        CurlTransport transport({.timeout = 1s});
        Request request = test::get(server.url("/file"));
        request.deadline = deadline;
        CHECK(test::fetch(transport, request).body == "bytes");
    }
}

namespace {

const std::string near = "http://10.0.0.7/mirror";
const std::string far = "https://far.example";

struct WithAlternates : World {
    WithAlternates() {
        policy.alternates = {near, far};
        answer().cut = std::string::npos;
    }
    std::string at(const std::string& base) { return base + "/" + *file_path(file); }
    void serve(const std::string& base) {
        network.answers[at(base)] = {bytes, "application/octet-stream"};
    }
    std::vector<int> asked() {
        return {network.asked[at(near)], network.asked[at(far)], network.asked[file.url]};
    }
};

}  // namespace

TEST_CASE("the first alternate that has a file gives it") {
    WithAlternates world;
    std::vector<int> asked{1, 0, 0};
    SECTION("the first") {
        world.serve(near);
    }
    SECTION("the second, where the first lacks it") {
        world.serve(far);
        asked = {1, 1, 0};
    }
    SECTION("the second, where the first has it wrong") {
        world.serve(near);
        world.network.answers[world.at(near)].body[7] = '!';
        world.serve(far);
        asked = {1, 1, 0};
    }
    SECTION("the master's own host at last") {
        world.network.fail(world.at(near), Fault::retry_later, "GET a: no byte for 30s");
        world.network.fail(world.at(far), Fault::refused, "GET b: HTTP 403");
        asked = {1, 1, 1};
    }
    REQUIRE_FALSE(world.pass());
    CHECK(world.asked() == asked);
    CHECK(world.published() == world.bytes);
    CHECK(world.state.pending() == 0);
    CHECK(world.staged().empty());
}

TEST_CASE("where no host has a file, it is the master's answer that is told") {
    WithAlternates world;
    world.network.fail(world.at(near), Fault::retry_later, "GET a: no byte for 30s");
    world.network.fail(world.file.url, Fault::gone, "GET x: HTTP 404");
    REQUIRE_FALSE(world.pass());
    CHECK(world.cause_of("large") == "GET x: HTTP 404");
    CHECK(world.asked() == std::vector<int>{1, 1, 1});
}

TEST_CASE("what an alternate began, the next one goes on with") {
    WithAlternates world;
    world.serve(near);
    world.network.answers[world.at(near)].cut = cut;
    SECTION("where it was right") {
        world.serve(far);
        REQUIRE_FALSE(world.pass());
        CHECK(world.network.first_bytes[world.at(far)].at(0) >= least_kept);
    }
    SECTION("where it was wrong, the master's own host gives the whole") {
        world.network.answers[world.at(near)].body[7] = '!';
        REQUIRE_FALSE(world.pass());
        CHECK(world.first_bytes().at(0) >= least_kept);
        CHECK(world.first_bytes().at(1) == 0);
    }
    CHECK(world.published() == world.bytes);
    CHECK(world.staged().empty());
}

TEST_CASE("a file without a strong digest never comes from an alternate") {
    WithAlternates world;
    world.serve(near);
    SECTION("a weak one") {
        world.file.digests = {{Algorithm::md5, std::string(16, 'm')}};
    }
    SECTION("none") {
        world.file.digests.clear();
    }
    world.offer();
    REQUIRE_FALSE(world.pass());
    CHECK(world.asked() == std::vector<int>{0, 0, 1});
}

TEST_CASE("a dead alternate is not asked for every file") {
    WithAlternates world;
    world.policy.file_requests = 1;
    std::vector<File> files;
    for (int i = 0; i < 20; ++i) files.push_back(sdist("foo-" + std::to_string(i) + ".tar.gz"));
    const ProjectPage many = page("foo", 5, files);
    world.publish(many);
    int asked = 0;
    for (const File& file : files)
        world.network.fail(near + "/" + *file_path(file), Fault::retry_later, "GET a: no byte");
    world.network.before = [&](const std::string& key) { asked += key.starts_with(near) ? 1 : 0; };
    REQUIRE_FALSE(world.pass());
    CHECK(asked <= 6);  // of 21; the 404 of another file begins the row anew
    CHECK(world.state.pending() == 0);
}

TEST_CASE("metadata comes from alternates like files") {
    SyncWorld world;
    world.policy.alternates = {near};
    world.publish(foo);
    const std::string there = near + "/" + *file_path(foo.files[0]) + ".metadata";
    world.network.answers[there] = {"metadata of foo-1.0-py3-none-any.whl", "text/plain"};
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked[there] == 1);
    CHECK(world.network.asked[foo.files[0].url + ".metadata"] == 0);
    CHECK(world.there(*file_path(foo.files[0]) + ".metadata"));
}

TEST_CASE("the password of the master goes with its own files, and with nobody else's") {
    SyncWorld world;
    world.policy.master = "https://me:secret@master.example/index";
    world.policy.master_shown = "https://master.example/index";
    File own = sdist("foo-1.0.tar.gz"), other = sdist("foo-2.0.tar.gz");
    own.url = "https://master.example/files" + own.url.substr(own.url.find("/packages/"));
    File near = sdist("foo-3.0.tar.gz");
    near.url = "https://master.example.net" + near.url.substr(near.url.find("/packages/"));
    const ProjectPage all = page("foo", 5, {own, other, near});
    world.publish(all);
    world.network.answers[world.policy.master + "/simple/foo/"] = {project_json(all)};
    const std::string with = "https://me:secret@" + own.url.substr(8);
    world.network.answers[with] = {"foo-1.0.tar.gz", "application/octet-stream"};
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked[with] == 1);
    CHECK(world.network.asked[own.url] == 0);
    CHECK(world.network.asked[other.url] == 1);
    CHECK(world.network.asked[near.url] == 1);
    CHECK(world.page_of("foo").find("foo-1.0.tar.gz") != std::string::npos);
    CHECK(world.page_of("foo").find("secret") == std::string::npos);
}
