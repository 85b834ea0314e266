#include "pep381d/tree/staging.h"

#include <filesystem>
#include <set>
#include <vector>

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

std::string large_bytes() {
    std::string bytes(3'000'000, 'b');
    for (std::size_t i = 0; i < bytes.size(); i += 97) bytes[i] = static_cast<char>(i);
    return bytes;
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

TEST_CASE("a small file may be left to be written by who takes it, a larger one is written") {
    World world;
    for (const std::size_t size : {0U, 8 * 1024U, 8 * 1024U + 1}) {
        const std::string bytes(size, 'b');
        const Expected expected = expecting(bytes);
        Arrival arrival(world.staging, world.staging.new_path(expected), expected);
        REQUIRE(arrival.write(std::string_view(bytes).substr(0, size / 2)));
        REQUIRE(arrival.write(std::string_view(bytes).substr(size / 2)));
        const auto staged = arrival.finish_unwritten();
        REQUIRE(staged);
        CHECK(staged.value().path.starts_with(place_of(bytes)));
        CHECK((staged.value().unwritten == bytes) == (size <= 8 * 1024));
        CHECK(world.files() == (size <= 8 * 1024 ? 0 : 1));
    }
    Arrival wrong(world.staging, world.staging.new_path(expecting("abc")), expecting("abc"));
    REQUIRE(wrong.write("abd"));
    const auto refused = wrong.finish_unwritten();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.failure().fault == Fault::corrupt);
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

TEST_CASE("what an earlier run left is handed out once, and what nobody takes is swept") {
    TemporaryDirectory directory;
    directory.write(place_of("whole"), "whole");
    directory.write(place_of("cut off"), "cut");
    directory.write(place_of("whole") + ".7", "whole");
    directory.write("staging/page-1.html", "a page");
    DirectoryTree tree(directory.path().string());
    Staging staging(tree);
    CHECK_FALSE(std::filesystem::exists(directory.path() / "staging/page-1.html"));
    const auto first = staging.take_whole(expecting("whole"));
    const auto second = staging.take_whole(expecting("whole"));
    REQUIRE((first && second));
    CHECK(std::set{*first, *second} == std::set{place_of("whole"), place_of("whole") + ".7"});
    CHECK_FALSE(staging.take_whole(expecting("whole")));
    CHECK_FALSE(staging.swept());
    REQUIRE(staging.sweep());
    CHECK(staging.swept());
    CHECK_FALSE(std::filesystem::exists(directory.path() / place_of("cut off")));
    CHECK(std::filesystem::exists(directory.path() / place_of("whole")));
}

TEST_CASE(
    "a part of a large file outlives its transfer and this process, under a name that tells") {
    World world;
    const std::string bytes = large_bytes();
    const std::string half = bytes.substr(0, bytes.size() / 2);
    const Expected expected = expecting(bytes);
    {
        Arrival arrival(world.staging, world.staging.new_path(expected), expected);
        REQUIRE(arrival.write(half));
    }
    CHECK(world.files() == 1);
    CHECK_FALSE(world.staging.take_whole(expected));
    const auto part = world.staging.take_part(expected);
    REQUIRE(part);
    CHECK(*part == place_of(bytes) + ".1.part");

    Staging next_run(world.tree);
    CHECK_FALSE(next_run.take_whole(expected));
    REQUIRE(next_run.take_part(expected) == part);
    CHECK_FALSE(next_run.take_part(expected));
    Proof proof(world.tree, *part, expected);
    while (!proof.ended()) (void)proof.go_on(100'000);
    REQUIRE(proof.may_go_on());
    Arrival arrival(next_run, *part, expected, std::move(proof));
    CHECK(arrival.size() == static_cast<std::int64_t>(half.size()));
    REQUIRE(arrival.write(std::string_view(bytes).substr(half.size())));
    const auto staged = arrival.finish();
    REQUIRE(staged);
    CHECK(staged.value().path == place_of(bytes) + ".2");
    CHECK(lies_whole(world.tree, staged.value().path, expected).value());
    CHECK(world.files() == 1);
}

TEST_CASE("no part is kept of a file that is small, weakly hashed, of unknown size, or wrong") {
    World world;
    const std::string bytes = large_bytes();
    Expected expected = expecting(bytes);
    std::string arrived = bytes.substr(0, bytes.size() - 1);
    bool spoil = false;
    SECTION("too little has arrived") {
        arrived = bytes.substr(0, 1'000'000);
    }
    SECTION("the file itself is small") {
        arrived.resize(500'000);
        expected = expecting(arrived + "x");
    }
    SECTION("a weak digest") {
        expected.digest = Digest{Algorithm::md5, std::string(16, 'm')};
    }
    SECTION("an unknown size") {
        expected.size.reset();
    }
    SECTION("wrong bytes") {
        spoil = true;
    }
    {
        Arrival arrival(world.staging, world.staging.new_path(expected), expected);
        REQUIRE(arrival.write(arrived));
        if (spoil) arrival.spoil();
    }
    CHECK(world.files() == 0);
    CHECK(world.staging.swept());
}

TEST_CASE("an arrival that begins anew keeps nothing of the part that it went on with") {
    World world;
    const std::string bytes = large_bytes();
    const Expected expected = expecting(bytes);
    const std::string part = place_of(bytes) + ".3.part";
    world.directory.write(part, std::string(1'500'000, 'z'));
    Proof proof(world.tree, part, expected);
    while (!proof.ended()) (void)proof.go_on(1 << 20);
    Arrival arrival(world.staging, part, expected, std::move(proof));
    arrival.restart();
    REQUIRE(arrival.write(bytes));
    CHECK(arrival.finish().ok());
}

TEST_CASE("of many parts the oldest go") {
    World world;
    const std::string bytes = large_bytes();
    std::vector<Expected> all;
    for (char c = 0; c < 70; ++c) {
        all.push_back(expecting(bytes));
        all.back().digest->bytes = std::string(32, c);
        Arrival arrival(world.staging, world.staging.new_path(all.back()), all.back());
        REQUIRE(arrival.write(std::string_view(bytes).substr(0, 1'100'000)));
    }
    CHECK(world.files() == 64);
    CHECK_FALSE(world.staging.take_part(all[5]));
    CHECK(world.staging.take_part(all[6]));
}

TEST_CASE("of whole files that are given back the oldest go, and those without a digest") {
    World world;
    std::vector<Expected> all;
    for (int i = 0; i < 1006; ++i) {
        const std::string bytes = "file " + std::to_string(i);
        all.push_back(expecting(bytes));
        Arrival arrival(world.staging, world.staging.new_path(all.back()), all.back());
        REQUIRE(arrival.write(bytes));
        world.staging.keep(arrival.finish().value().path);
    }
    CHECK(world.files() == 1000);
    CHECK_FALSE(world.staging.take_whole(all[5]));
    CHECK(world.staging.take_whole(all[6]));
    Arrival arrival(world.staging, world.staging.new_path({}), {});
    REQUIRE(arrival.write("bytes"));
    world.staging.keep(arrival.finish().value().path);
    CHECK(world.files() == 1000);
}
