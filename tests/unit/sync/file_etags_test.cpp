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

namespace {

// A master without serials, whose page has two files.
struct Unnumbered : SyncWorld {
    ProjectPage both = page("foo", 0, {sdist("foo-1.0.tar.gz"), sdist("foo-2.0.tar.gz")});

    explicit Unnumbered(bool digests = false) {
        policy.protocol = Protocol::simple;
        for (File& file : both.files) {
            file.url = std::string(master) + "/packages/source/f/foo/" + file.name.text();
            if (digests) continue;
            file.digests.clear();
            file.size.reset();
        }
        publish(both);
        network.answers[std::string(master) + "/simple/"] = {
            R"({"meta":{"api-version":"1.0"},"projects":[{"name":"foo"}]})"};
        one().conditional = two().conditional = true;
        REQUIRE_FALSE(pass());
        REQUIRE(left == 0);
    }
    ScriptedTransport::Answer& one() { return network.answers[both.files[0].url]; }
    ScriptedTransport::Answer& two() { return network.answers[both.files[1].url]; }
    Serial serial() { return state.published(both.name)->serial; }
    // After a while all pages are read again.
    std::int64_t sync_later() {
        clock.advance(25h);
        network.asked.clear();
        REQUIRE_FALSE(pass());
        return left;
    }
};

}  // namespace

TEST_CASE("where serials are ours, other bytes are told though not all files could be asked for") {
    Unnumbered world;
    const Serial first = world.serial();
    world.one().body = "other bytes";
    world.one().etag = "\"two\"";
    const auto good = std::exchange(world.two(), {{}, {}, {Fault::retry_later, "HTTP 503"}});
    CHECK(world.sync_later() == 1);
    const std::string path = *file_path(world.both.files[0]);
    CHECK(world.bytes(path) == "other bytes");
    const Serial second = world.serial();
    CHECK(second > first);

    // Nothing more has changed.
    CHECK(world.sync_later() == 1);
    CHECK(world.serial() == second);

    world.one().body = "and other ones";
    world.one().etag = "\"three\"";
    CHECK(world.sync_later() == 1);
    CHECK(world.bytes(path) == "and other ones");
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
    const Serial third = world.serial();
    CHECK(third > second);

    world.two() = good;
    CHECK(world.sync_later() == 0);
    CHECK(world.serial() == third);
    CHECK(world.state.page(world.both.name)->files[0].etag == "\"three\"");
}

TEST_CASE("where serials are ours, one that a page showed for a moment is not used again") {
    Unnumbered world(true);
    const std::string html = "simple/foo/index.v1_html";
    const auto place = world.directory.path() / "web" / html;
    const auto shown = [&] {
        const std::string text = world.page_of("foo"), key = "\"_last-serial\":";
        return std::stoll(text.substr(text.find(key) + key.size()));
    };
    const auto first = shown();
    // The formats that come before it are placed, and the page is not recorded.
    std::filesystem::remove(place);
    world.put(html + "/someone's", "someone's");
    world.both.files.back().yanked = true;
    world.publish(world.both);
    world.clock.advance(25h);
    std::int64_t second = 0;
    const auto mend = [&] {
        second = shown();
        std::filesystem::remove_all(place);
        world.both.files.front().yanked = true;
        world.publish(world.both);
    };
    SECTION("the next run") {
        REQUIRE_FALSE(world.pass());
        mend();
        REQUIRE_FALSE(world.pass());
    }
    SECTION("the same") {
        world.policy.patience = 1h;
        Staging staging(world.tree);
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
        world.hooks.report = [&](const Progress&) {
            const auto standing = committer.standing();
            if (standing.at_rest && standing.next_due && second == 0) {
                mend();
                committer.send(Retry{{world.both.name}});
            }
            if (second != 0) world.clock.advance(1min);
        };
        Engine engine(world.network, staging, committer, world.policy, world.clock, world.log,
                      false, world.hooks);
        committer.start([] {});
        REQUIRE_FALSE(engine.pass(true));
        committer.stop();
        committer.check();
    }
    CHECK(second > first);
    CHECK(world.state.pending() == 0);
    CHECK(shown() > second);
    CHECK(world.serial().value == shown());
}

TEST_CASE("where serials are ours, what a page shows for a while has one of its own") {
    Unnumbered world(true);
    const Serial first = world.serial();
    File& replaced = world.both.files[1];
    replaced.digests = {{Algorithm::sha256, sha256("other bytes")}};
    replaced.size = 11;
    SECTION("since a file of it cannot be had") {
        world.publish(world.both);
        world.two() = {{}, {}, {Fault::gone, "HTTP 404 Not Found"}};
    }
    SECTION("since a file of it has no place") {
        std::filesystem::remove(world.directory.path() / "web" / *file_path(replaced));
        world.put(*file_path(replaced) + "/someone's", "someone's");
        world.publish(world.both);
        world.two() = {"other bytes", "application/octet-stream"};
    }
    CHECK(world.sync_later() == 1);
    const Serial second = world.serial();
    CHECK(second > first);
    CHECK(world.state.page(world.both.name)->files.size() == 1);
    CHECK(world.sync_later() == 1);
    CHECK(world.serial() == second);

    // The master has no more than that, either.
    world.both.files.pop_back();
    world.publish(world.both);
    CHECK(world.sync_later() == 0);
    CHECK(world.serial() == second);
}
