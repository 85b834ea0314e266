#include "pep381d/base/room.h"

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

constexpr std::int64_t mib = 1 << 20;
const Room room{100 * mib, 1000 * mib, 500, 10'000};

}  // namespace

TEST_CASE("room is short below an amount or a part of the whole, in bytes or in inodes") {
    CHECK_FALSE(shortage(room, {}, false));
    CHECK_FALSE(shortage(room, {{100 * mib, 0}, {500, 0}}, false));
    CHECK_FALSE(shortage(room, {{0, 10}, {0, 5}}, false));
    CHECK_THAT(
        shortage(room, {{100 * mib + 1, 0}, {}}, false).value_or(""),
        ContainsSubstring("only 100 MiB are free") && ContainsSubstring("mirror.min-free ("));
    CHECK_THAT(shortage(room, {{0, 10.1}, {}}, false).value_or(""), ContainsSubstring("101 MiB"));
    CHECK_THAT(
        shortage(room, {{}, {501, 0}}, false).value_or(""),
        ContainsSubstring("only 500 inodes are free, less than mirror.min-free-inodes (501)"));
    CHECK(shortage(room, {{}, {0, 5.1}}, false));
}

TEST_CASE("who was short of room has enough with a tenth more") {
    CHECK(shortage(room, {{95 * mib, 0}, {}}, true));
    CHECK_FALSE(shortage(room, {{90 * mib, 0}, {}}, true));
}

TEST_CASE("a file system that counts no inodes is never short of them") {
    CHECK_FALSE(shortage({mib, mib, 0, 0}, {{}, {1000, 0}}, false));
}

TEST_CASE("the room of a directory is that of its file system") {
    const TemporaryDirectory directory;
    const auto found = room_at(directory.path().string());
    REQUIRE(found);
    CHECK(found.value().bytes_total >= found.value().bytes);
    CHECK(found.value().bytes_total > 0);
    const auto missing = room_at((directory.path() / "none").string());
    REQUIRE_FALSE(missing);
    CHECK_THAT(missing.failure().what, ContainsSubstring("/none: "));
}
