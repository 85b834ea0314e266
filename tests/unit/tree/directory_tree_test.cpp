#include "pep381d/tree/directory_tree.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

struct World {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};

    bool there(const std::string& path) { return std::filesystem::exists(directory.path() / path); }
    std::string bytes(const std::string& path) {
        std::ifstream file(directory.path() / path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void make(const std::string& path, std::string_view text,
              std::optional<std::int64_t> mtime = std::nullopt) {
        auto file = tree.create(path);
        REQUIRE(file);
        REQUIRE(tree.write(file.value(), text));
        REQUIRE(tree.finish(std::move(file).value(), mtime, true));
    }
    void place(const std::string& path, std::string_view text) {
        make("staging/x", text);
        REQUIRE(tree.rename("staging/x", path));
    }
};

}  // namespace

TEST_CASE("a staged file is put in its place with the directories that it needs") {
    World world;
    world.make("staging/x", "hello", 1'000'000'000);
    REQUIRE(world.tree.rename("staging/x", "web/packages/aa/bb/cc/x.whl"));
    CHECK_FALSE(world.there("staging/x"));
    CHECK(world.bytes("web/packages/aa/bb/cc/x.whl") == "hello");
    const auto look = world.tree.look("web/packages/aa/bb/cc/x.whl");
    REQUIRE((look && look.value()));
    CHECK(look.value()->size == 5);
    CHECK(look.value()->mtime == 1'000'000'000);
}

TEST_CASE("removing a file takes the directories with it that it leaves empty, and no more") {
    World world;
    world.place("web/packages/aa/bb/cc/x.whl", "x");
    world.place("web/packages/aa/dd/ee/y.whl", "y");
    REQUIRE(world.tree.remove("web/packages/aa/bb/cc/x.whl"));
    CHECK_FALSE(world.there("web/packages/aa/bb"));
    CHECK(world.there("web/packages/aa/dd/ee/y.whl"));
    REQUIRE(world.tree.remove("web/packages/aa/dd/ee/y.whl"));
    CHECK(world.there("web/packages"));
    CHECK_FALSE(world.there("web/packages/aa"));
    world.place("web/packages/aa/dd/ee/y.whl", "again");
}

TEST_CASE("removing what is not there is fine") {
    World world;
    CHECK(world.tree.remove("web/packages/aa/bb/cc/x.whl"));
    // A power cut may have taken the last directory alone.
    std::filesystem::create_directories(world.directory.path() / "web/packages/aa/bb");
    CHECK(world.tree.remove("web/packages/aa/bb/cc/x.whl"));
    CHECK_FALSE(std::filesystem::exists(world.directory.path() / "web/packages/aa"));
    CHECK(std::filesystem::exists(world.directory.path() / "web/packages"));
}

TEST_CASE("a second process is told who holds the mirror") {
    World world;
    try {
        const DirectoryTree second(world.directory.path().string());
        FAIL("it opened a second time");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK_THAT(fatal.what(), ContainsSubstring("process " + std::to_string(getpid())));
    }
}

TEST_CASE("a directory that is missing is named with its key") {
    try {
        const DirectoryTree tree("/nonexistent/mirror");
        FAIL("it opened");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK_THAT(fatal.what(), ContainsSubstring("mirror.directory /nonexistent/mirror"));
    }
}

TEST_CASE("a file in the place of staging/ or web/ is told") {
    const TemporaryDirectory directory;
    const std::string name = GENERATE("staging", "web");
    directory.write(name, "someone's");
    try {
        const DirectoryTree tree(directory.path().string());
        FAIL("it opened");
    } catch (const Fatal& fatal) {
        CHECK(fatal.exit_status() == 5);
        CHECK_THAT(fatal.what(), ContainsSubstring(name + ": it is no directory"));
    }
}

TEST_CASE("what lies behind a symbolic link is neither replaced nor removed") {
    World world;
    const TemporaryDirectory elsewhere;
    std::filesystem::create_directories(elsewhere.path() / "foo");
    std::ofstream(elsewhere.path() / "foo" / "index.html") << "theirs";
    world.place("web/simple/bar/index.html", "ours");
    std::filesystem::create_directory_symlink(elsewhere.path() / "foo",
                                              world.directory.path() / "web/simple/foo");
    std::filesystem::create_directory_symlink(elsewhere.path(),
                                              world.directory.path() / "web/packages");
    world.make("staging/x", "ours");
    for (const char* to : {"web/simple/foo/index.html", "web/packages/foo/index.html",
                           "web/packages/foo/bar/index.html"}) {
        CAPTURE(to);
        const Done renamed = world.tree.rename("staging/x", to);
        REQUIRE_FALSE(renamed);
        CHECK(renamed.failure().fault == Fault::refused);
        CHECK_FALSE(world.tree.place("staging/x", to));
        CHECK(world.tree.remove(to));
    }
    CHECK_FALSE(std::filesystem::exists(elsewhere.path() / "foo" / "bar"));
    CHECK(world.bytes("web/simple/foo/index.html") == "theirs");
    CHECK(world.tree.remove("web/simple/foo"));
    CHECK_FALSE(world.there("web/simple/foo"));
    CHECK(std::filesystem::exists(elsewhere.path() / "foo" / "index.html"));
}

TEST_CASE("a mirror whose web/ is a symbolic link is like any other") {
    TemporaryDirectory directory;
    const TemporaryDirectory elsewhere;
    std::filesystem::create_directory_symlink(elsewhere.path(), directory.path() / "web");
    DirectoryTree tree(directory.path().string());
    auto file = tree.create("staging/x");
    REQUIRE(file);
    REQUIRE(tree.finish(std::move(file).value(), std::nullopt, true));
    REQUIRE(tree.rename("staging/x", "web/simple/foo/index.html"));
    CHECK(std::filesystem::exists(elsewhere.path() / "simple/foo/index.html"));
    REQUIRE(tree.remove("web/simple/foo/index.html"));
    CHECK_FALSE(std::filesystem::exists(elsewhere.path() / "simple/foo"));
}

TEST_CASE("what cannot be read is named") {
    World world;
    const auto directory = world.tree.open("staging");
    REQUIRE(directory);
    char byte = 0;
    const auto read = world.tree.read(directory.value(), &byte, 1);
    REQUIRE_FALSE(read);
    const std::string path = (world.directory.path() / "staging").string();
    CHECK(read.failure().what == path + ": cannot read: Is a directory; remove what lies there");

    const TemporaryDirectory other;
    const std::string link = other.path() / "link";
    std::filesystem::create_directory_symlink(world.directory.path(), link);
    const auto by_link = DirectoryTree(link, DirectoryTree::Access::read).open("staging");
    REQUIRE(by_link);
    CHECK(world.tree.read(by_link.value(), &byte, 1).failure().what == read.failure().what);
}

TEST_CASE("a symbolic link in staging is not written through") {
    World world;
    std::filesystem::create_symlink(world.directory.path() / "outside",
                                    world.directory.path() / "staging/link");
    const auto file = world.tree.create("staging/link");
    REQUIRE_FALSE(file.ok());
    CHECK(file.failure().fault == Fault::local);
    CHECK_FALSE(world.there("outside"));
}
