#include "pep381d/sync/adoption.h"

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
