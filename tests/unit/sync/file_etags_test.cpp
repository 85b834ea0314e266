// Files without a digest: only their host can tell whether it has other bytes by now.
#include <sys/stat.h>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

std::string md5_of(const std::string& bytes) {
    Hasher md5(Algorithm::md5);
    md5.update(bytes);
    return md5.finish();
}

struct World : SyncWorld {
    File file = sdist("foo-1.0.tar.gz");
    std::int64_t serial = 5;

    World() {
        file.url = std::string(master) + "/packages/source/f/foo/foo-1.0.tar.gz";
        file.digests.clear();
        file.size.reset();
    }
    ScriptedTransport::Answer& answer() { return network.answers[file.url]; }
    int asked() { return network.asked[file.url]; }
    std::string published() { return bytes(*file_path(file)); }
    ino_t inode() {
        struct stat about {};
        REQUIRE(stat((directory.path() / "web" / *file_path(file)).c_str(), &about) == 0);
        return about.st_ino;
    }
    std::string etag() { return state.page(*ProjectName::parse("foo"))->files.at(0).etag; }

    void begin(const std::string& etag = "\"one\"") {
        publish(page("foo", serial, {file}));
        answer().conditional = true;
        answer().etag = etag;
        REQUIRE_FALSE(pass());
        REQUIRE(left == 0);
        REQUIRE(asked() == 1);
    }
    // The page is as it was, but for its serial.
    void news() {
        ++serial;
        network.answers[url(page("foo", 0, {}))] = {project_json(page("foo", serial, {file}))};
        event("foo", "new release", serial);
        network.asked.clear();
        REQUIRE_FALSE(pass());
    }
};

}  // namespace

TEST_CASE(
    "a file without a digest is asked for when there is news, and stays where it is the same") {
    World world;
    world.begin();
    const auto inode = world.inode();
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked.size() == 1);  // the journal

    world.news();
    CHECK(world.asked() == 1);
    CHECK(world.left == 0);
    CHECK(world.inode() == inode);
    CHECK(world.etag() == "\"one\"");
    CHECK(world.page_of("foo").find("\"_last-serial\":6") != std::string::npos);
}

TEST_CASE("a file without a digest that has another ETag is replaced") {
    World world;
    world.begin();
    world.answer().body = "other bytes";
    world.answer().etag = GENERATE("\"two\"", "");
    const std::string etag = world.answer().etag;
    world.news();
    CHECK(world.published() == "other bytes");
    CHECK(world.etag() == etag);
    CHECK(world.state.totals().files == 1);

    const auto inode = world.inode();
    world.news();
    CHECK(world.asked() == (etag.empty() ? 0 : 1));
    CHECK(world.inode() == inode);
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("without an ETag of use, or with a digest, no file is asked for again") {
    World world;
    SECTION("no ETag") {
        world.begin("");
    }
    SECTION("a digest") {
        world.file.digests = {{Algorithm::md5, md5_of("foo-1.0.tar.gz")}};
        world.begin();
    }
    CHECK(world.etag().empty());
    world.answer().body = "other bytes";
    world.answer().etag = "\"two\"";
    world.news();
    CHECK(world.asked() == 0);
    CHECK(world.published() == "foo-1.0.tar.gz");
}

TEST_CASE("a file whose host does not answer for its ETag stays, and is asked for again") {
    World world;
    world.begin();
    const std::string before = world.page_of("foo");
    const auto good = world.answer();
    SECTION("it answers that there is no such file") {
        world.answer() = {{}, {}, {Fault::gone, "HTTP 404 Not Found"}};
    }
    SECTION("it breaks off") {
        world.answer().etag = "\"two\"";
        world.answer().cut = 3;
    }
    world.news();
    CHECK(world.left == 1);
    CHECK(world.published() == "foo-1.0.tar.gz");
    CHECK(world.page_of("foo") == before);
    CHECK_FALSE(world.cause_of("foo").empty());

    world.answer() = good;
    world.answer().body = "other bytes";
    world.answer().etag = "\"two\"";
    world.clock.advance(24h);
    world.network.asked.clear();
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.published() == "other bytes");
    CHECK(world.page_of("foo").find("\"_last-serial\":6") != std::string::npos);
}

TEST_CASE("metadata without a digest goes with the bytes of its file") {
    World world;
    world.file.core_metadata.offered = true;
    world.begin();
    const std::string beside = world.file.url + ".metadata";
    world.news();
    CHECK(world.network.asked[beside] == 0);
    world.answer().body = "other bytes";
    world.answer().etag = "\"two\"";
    world.network.answers[beside].body = "other metadata";
    world.news();
    CHECK(world.network.asked[beside] == 1);
    CHECK(world.published() == "other bytes");
    CHECK(world.bytes(*file_path(world.file) + ".metadata") == "other metadata");
}
