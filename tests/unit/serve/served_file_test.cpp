#include "pep381d/serve/served_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

struct Tree {
    TemporaryDirectory outside;
    TemporaryDirectory directory;
    Descriptor root;

    Tree() : root(::open(directory.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
        outside.write("secret", "secret");
        directory.write("a/b/file", "bytes");
        std::filesystem::create_symlink(outside.path() / "secret", directory.path() / "a/out");
        std::filesystem::create_symlink("b/file", directory.path() / "a/in");
        std::filesystem::create_symlink(outside.path(), directory.path() / "away");
        ::mkfifo((directory.path() / "a/fifo").c_str(), 0644);
    }
    OpenFault open(const std::string& path) const {
        ServedFile file;
        return open_served(root.get(), path, file);
    }
    ServedFile opened(const std::string& path) const {
        ServedFile file;
        REQUIRE(open_served(root.get(), path, file) == OpenFault::none);
        return file;
    }
};

}  // namespace

TEST_CASE("only regular files of the tree are opened, and no link is followed") {
    const Tree tree;
    CHECK(tree.opened("a/b/file").size == 5);
    const std::string long_name(300, 'x');
    const std::string outside = tree.outside.path().filename().string();
    for (const std::string& path :
         {std::string("a/b"), std::string("a/none"), std::string("a/b/file/x"),
          std::string("a/out"), std::string("a/in"), std::string("away/secret"),
          std::string("a/fifo"), long_name, "../" + outside + "/secret"}) {
        CAPTURE(path);
        CHECK(tree.open(path) == OpenFault::absent);
    }
    CHECK(tree.open((tree.outside.path() / "secret").string()) == OpenFault::absent);
}

TEST_CASE("a kernel without openat2 gives the same answers") {
    const Tree tree;
    const auto open = [&](const std::string& path) {
        return Descriptor(open_by_components(tree.root.get(), path));
    };
    CHECK(open("a/b/file"));
    const std::string outside = tree.outside.path().filename().string();
    for (const std::string& path :
         {std::string("a/none"), std::string("a/b/file/x"), std::string("a/out"),
          std::string("a/in"), std::string("away/secret"), std::string("a//b/file"),
          std::string("a/./b/file"), std::string("/etc/passwd"), std::string(""),
          "../" + outside + "/secret", std::string("a/../a/b/file")}) {
        CAPTURE(path);
        CHECK_FALSE(open(path));
    }
}

TEST_CASE("a page's serial is found at its start or its end") {
    const Tree tree;
    const std::string filler(1000, ' ');
    const std::pair<std::string, std::optional<Serial>> rows[] = {
        {R"({"meta":{"_last-serial":42,"api-version":"1.4"})" + filler, Serial{42}},
        {R"({"meta":{"_last-serial":9223372036854775807,"a":1}})", Serial{9223372036854775807}},
        {"<!DOCTYPE html>" + filler + "</html>\n<!--SERIAL 7-->\n", Serial{7}},
        {"<!--SERIAL 8-->\n", Serial{8}},
        {R"({"files":[],"meta":{"_last-serial":42}})", std::nullopt},
        {R"({"meta":{"_last-serial":99999999999999999999}})", std::nullopt},
        {R"({"meta":{"_last-serial":"7"}})", std::nullopt},
        {R"({"meta":{"_last-serial":7)", std::nullopt},
        {"<!--SERIAL 7-->" + filler, std::nullopt},
        {"<!--SERIAL -->\n", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& [bytes, expected] : rows) {
        CAPTURE(bytes.substr(0, 60));
        tree.directory.write("page", bytes);
        CHECK(serial_in(tree.opened("page")) == expected);
    }
}

TEST_CASE("a rewritten page of equal length gets another entity tag at once") {
    const Tree tree;
    tree.directory.write("page", "<!--SERIAL 1-->\n");
    const auto tag = [&] {
        const ServedFile file = tree.opened("page");
        return entity_tag(file, serial_in(file), "-h");
    };
    const std::string first = tag();
    CHECK(tag() == first);
    tree.directory.write("page", "<!--SERIAL 2-->\n");
    const std::string second = tag();
    tree.directory.write("page", "<!--SERIAL 3-->\n");
    CHECK(first != second);
    CHECK(first != tag());
    CHECK(second != tag());
    CHECK(first.front() == '"');
    CHECK(first.back() == '"');
}
