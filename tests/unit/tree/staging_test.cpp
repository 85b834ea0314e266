#include "pep381d/tree/staging.h"

#include <filesystem>
#include <set>

#include "pep381d/tree/directory_tree.h"

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

Expected expecting(const std::string& bytes) {
    return {Digest{Algorithm::sha256, sha256(bytes)}, static_cast<std::int64_t>(bytes.size()),
            std::nullopt};
}

std::string place_of(const std::string& bytes) {
    return "staging/" + to_hex(sha256(bytes));
}

struct World {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};
    Staging staging{tree};

    auto files() {
        return std::distance(std::filesystem::directory_iterator(directory.path() / "staging"), {});
    }
};

}  // namespace

TEST_CASE("a file that is whole and right lies under its digest") {
    World world;
    const std::string bytes(200'000, 'b');
    Arrival arrival(world.staging, world.staging.new_path(expecting(bytes)), expecting(bytes));
    for (std::size_t i = 0; i < bytes.size(); i += 7000)
        REQUIRE(arrival.write(std::string_view(bytes).substr(i, 7000)));
    const auto staged = arrival.finish();
    REQUIRE(staged);
    CHECK(staged.value().path == place_of(bytes) + ".1");
    CHECK(std::filesystem::file_size(world.directory.path() / staged.value().path) == bytes.size());
}

TEST_CASE("what is not as announced is refused and leaves nothing behind") {
    World world;
    const std::string bytes(100'000, 'b');
    {
        Arrival arrival(world.staging, world.staging.new_path(expecting(bytes)), expecting(bytes));
        SECTION("other bytes") {
            REQUIRE(arrival.write(std::string(100'000, 'c')));
            const auto staged = arrival.finish();
            REQUIRE_FALSE(staged.ok());
            CHECK(staged.failure().fault == Fault::corrupt);
            CHECK_THAT(staged.failure().what, ContainsSubstring("sha256"));
        }
        SECTION("too few") {
            REQUIRE(arrival.write("short"));
            CHECK_FALSE(arrival.finish().ok());
        }
        SECTION("too many end it at once") {
            REQUIRE(arrival.write(bytes));
            CHECK_FALSE(arrival.write("x").ok());
        }
        SECTION("the transfer ends early") {
            REQUIRE(arrival.write(bytes));
        }
    }
    CHECK(world.files() == 0);
}

TEST_CASE(
    "the same bytes on their way twice do not meet, nor do they meet what an earlier run left") {
    TemporaryDirectory directory;
    directory.write(place_of("same") + ".5", "same");
    DirectoryTree tree(directory.path().string());
    Staging staging(tree);
    CHECK(staging.new_path(expecting("same")) == place_of("same") + ".6");
    CHECK(staging.new_path(expecting("same")) == place_of("same") + ".7");
}

TEST_CASE("each whole file of an earlier run is used once, a cut one never") {
    TemporaryDirectory directory;
    directory.write(place_of("whole"), "whole");
    directory.write(place_of("cut off"), "cut");
    directory.write(place_of("whole") + ".7", "whole");
    directory.write("staging/page-1.html", "a page");
    DirectoryTree tree(directory.path().string());
    Staging staging(tree);
    CHECK_FALSE(std::filesystem::exists(directory.path() / "staging/page-1.html"));
    const auto first = staging.left_over(expecting("whole"));
    const auto second = staging.left_over(expecting("whole"));
    REQUIRE((first && second));
    CHECK(std::set{*first, *second} == std::set{place_of("whole"), place_of("whole") + ".7"});
    CHECK_FALSE(staging.left_over(expecting("whole")));
    CHECK_FALSE(staging.left_over(expecting("cut off")));
    REQUIRE(staging.sweep());
    CHECK_FALSE(std::filesystem::exists(directory.path() / place_of("cut off")));
    CHECK(std::filesystem::exists(directory.path() / place_of("whole")));
}
