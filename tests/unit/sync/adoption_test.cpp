#include "pep381d/sync/adoption.h"

#include "pep381d/sync/knowledge.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

namespace {

struct Other {
    TemporaryDirectory directory;
    void put(const std::string& path, const std::string& bytes) { directory.write(path, bytes); }
    Adopted adopted_by(World& world) {
        return adopt_files(world.tree, directory.path(), world.log);
    }
};

}  // namespace

TEST_CASE("files of another tool's tree are used without being fetched, once they are hashed") {
    World world;
    world.publish(foo);
    Other other;
    const std::string prefix = GENERATE("", "web/");
    other.put(prefix + *file_path(foo.files[0]), foo.files[0].name.text());
    other.put(prefix + *file_path(foo.files[1]), "FOO-1.0.tar.gz");  // damaged
    CHECK(other.adopted_by(world).taken == 2);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked[foo.files[0].url] == 0);
    CHECK(world.network.asked[foo.files[1].url] == 1);
    CHECK(world.bytes(*file_path(foo.files[1])) == "foo-1.0.tar.gz");
    CHECK(world.state.pending() == 0);
    std::ifstream damaged(other.directory.path() / (prefix + *file_path(foo.files[1])));
    CHECK(std::string(std::istreambuf_iterator<char>(damaged), {}) == "FOO-1.0.tar.gz");
}

TEST_CASE("files of an old layout are found by their digest") {
    World world;
    world.publish(foo);
    Other other;
    other.put("packages/py3/f/foo/foo-1.0-py3-none-any.whl", foo.files[0].name.text());
    other.put("packages/source/f/foo/foo-1.0.tar.gz", foo.files[1].name.text());
    other.put("packages/source/b/bar/bar-1.0.tar.gz", "nobody wants it");
    CHECK(other.adopted_by(world).taken == 3);
    CHECK(other.adopted_by(world).there == 3);
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked[foo.files[0].url] == 0);
    CHECK(world.network.asked[foo.files[1].url] == 0);
    CHECK(world.bytes(*file_path(foo.files[1])) == "foo-1.0.tar.gz");
    CHECK(std::filesystem::exists(other.directory.path() / "packages/source/f/foo/foo-1.0.tar.gz"));
}

TEST_CASE("what is no regular file is left out, and what lies here already stays") {
    World world;
    Other other;
    const std::string path = *file_path(foo.files[0]);
    world.put(path, "ours");
    other.put(path, "theirs");
    std::filesystem::create_symlink("/etc/passwd", other.directory.path() / "packages/link");
    const Adopted adopted = other.adopted_by(world);
    CHECK(adopted.taken == 0);
    CHECK(adopted.there == 1);
    CHECK(adopted.ignored == 1);
    CHECK(world.bytes(path) == "ours");
}

TEST_CASE("a file that others may not read is copied, not linked") {
    World world;
    Other other;
    const std::string path = *file_path(foo.files[0]);
    other.put(path, "theirs");
    std::filesystem::permissions(other.directory.path() / path, std::filesystem::perms::owner_read);
    CHECK(other.adopted_by(world).taken == 1);
    CHECK(std::filesystem::hard_link_count(world.directory.path() / "web" / path) == 1);
    CHECK(world.bytes(path) == "theirs");
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("a directory that is no mirror is told") {
    World world;
    const TemporaryDirectory empty;
    CHECK_THROWS_AS(adopt_files(world.tree, empty.path(), world.log), Fatal);
}

TEST_CASE("a mirror that lost its state fetches pages, and no file that lies whole") {
    World world;
    world.publish(foo);
    world.publish(bar);
    for (const File& file : {foo.files[0], foo.files[1], bar.files[0]})
        world.put(*file_path(file), file.name.text());
    world.put(*file_path(foo.files[0]) + ".metadata", "metadata of foo-1.0-py3-none-any.whl");
    world.put("packages/aa/stray", "stray");
    REQUIRE_FALSE(world.pass());
    CHECK(world.network.asked == std::map<std::string, int>{{"list_packages_with_serial", 1},
                                                            {"changelog_last_serial", 2},
                                                            {World::url(foo), 1},
                                                            {World::url(bar), 1}});
    CHECK(world.state.totals().files == 3);
    CHECK(world.there("packages/aa/stray"));
}

namespace {

// The tree of a mirror whose state was lost: pages and files of foo, bar and `gone`, which the
// master does not have any more. Its page of bar cannot be had for the moment.
struct Lost : SyncWorld {
    const ScriptedTransport::Answer no_page{{}, {}, {Fault::retry_later, "HTTP 503"}};
    ScriptedTransport::Answer page_of_bar;
    const std::string file_of_gone = "packages/aa/gone-1.0.tar.gz";

    Lost() {
        publish(foo);
        publish(bar);
        page_of_bar = network.answers[url(bar)];
        network.answers[url(bar)] = no_page;
        for (const char* name : {"foo", "bar", "gone"})
            for (const char* page : {"index.html", "index.v1_html", "index.v1_json"})
                put(std::string("simple/") + name + "/" + page, "of before");
        put("simple/index.html", "of before");
        put(file_of_gone, "x");
        put("last-modified", "20010203T04:05:06\n");
    }
    std::string listed() {
        std::string all;
        const std::string root = bytes("simple/index.html");
        for (const char* name : {"bar", "foo", "gone"})
            if (root.find(std::string("href=\"") + name + "/\"") != std::string::npos)
                all += std::string(" ") + name;
        return all;
    }
    void sync() {
        clock.advance(1min);
        REQUIRE_FALSE(pass());
    }
    void bar_comes() {
        network.answers[url(bar)] = page_of_bar;
        sync();
        CHECK(left == 0);
    }
    std::vector<std::string> strays() {
        std::vector<std::string> all;
        for (const Finding& finding : verify(state, tree, false))
            if (finding.flaw == Flaw::stray) all.push_back(finding.path);
        return all;
    }
};

}  // namespace

TEST_CASE("of a lost state's tree the root index lists what the master still lists") {
    Lost world;
    world.sync();
    CHECK(world.left == 1);
    CHECK(world.listed() == " bar foo");
    CHECK(world.bytes("simple/bar/index.html") == "of before");
    CHECK(world.strays().empty());

    SECTION("but what is removed") {
        world.network.answers.erase(World::url(bar));
        world.event("bar", "remove project", 9);
        world.sync();
        CHECK_FALSE(world.there("simple/bar"));
        CHECK(world.listed() == " foo");
    }
    SECTION("but what is quarantined") {
        world.publish(quarantined_foo(9));
        world.event("foo", "quarantine", 9);
        world.sync();
        CHECK(world.listed() == " bar");
        world.bar_comes();
        CHECK(world.listed() == " bar");
    }
    SECTION("until all is read again") {
        world.bar_comes();
        CHECK(world.listed() == " bar foo");
    }
    // What the master has removed meanwhile stays, until somebody asks for strays to go.
    CHECK(world.there(world.file_of_gone));
    CHECK(world.there("simple/gone/index.html"));
    CHECK_FALSE(world.strays().empty());
}

TEST_CASE("a page of a lost state's tree does not go for a 404") {
    Lost world;
    world.network.answers.erase(World::url(bar));
    for (int hour = 0; hour < 5; ++hour) {
        world.sync();
        world.clock.advance(1h);
        CHECK(world.there("simple/bar/index.html"));
    }
}

TEST_CASE("what is blocked by name goes from a lost state's tree as well") {
    Lost world;
    world.policy.filter = Filter({"*"}, {"Bar"});
    world.sync();
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.listed() == " foo");
}

TEST_CASE("formats that are not made any more go from a lost state's tree with its first pages") {
    Lost world;
    world.policy.html = false;
    world.sync();
    CHECK(world.there("simple/foo/index.v1_json"));
    CHECK_FALSE(world.there("simple/foo/index.html"));
    CHECK_FALSE(world.there("simple/foo/index.v1_html"));
    CHECK(world.there("simple/bar/index.html"));
    world.bar_comes();
    CHECK_FALSE(world.there("simple/bar/index.html"));
}

TEST_CASE("a state that was put back from a copy is behind its tree until it has caught up") {
    Lost world;
    CHECK(may_be_lost(world.state));
    world.bar_comes();
    CHECK_FALSE(may_be_lost(world.state));
    CHECK_FALSE(may_be_older(world.state, world.tree));
    world.put("last-modified", format_basic(world.clock.now() + 1h) + "\n");
    CHECK(may_be_older(world.state, world.tree));
    world.clock.advance(2h);
    world.sync();
    CHECK_FALSE(may_be_older(world.state, world.tree));
}
