#include "pep381d/serve/range.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("a Range header gives a part, the whole, or nothing that can be had") {
    const auto part = [](std::uint64_t offset, std::uint64_t length) {
        return Slice{Slice::Kind::part, offset, length};
    };
    const Slice whole{Slice::Kind::whole, 0, 100};
    const Slice none{Slice::Kind::unsatisfiable, 0, 0};
    const std::pair<const char*, Slice> rows[] = {
        {"bytes=0-0", part(0, 1)},
        {"bytes=0-99", part(0, 100)},
        {"bytes=10-19", part(10, 10)},
        {"bytes=90-", part(90, 10)},
        {"bytes=99-99", part(99, 1)},
        {"bytes=0-100000", part(0, 100)},
        {"bytes=50-99999999999999999999999999", part(50, 50)},
        {"bytes=-1", part(99, 1)},
        {"bytes=-100", part(0, 100)},
        {"bytes=-101", part(0, 100)},
        {"bytes=-18446744073709551616", part(0, 100)},
        {" Bytes = 1 - 2 ", part(1, 2)},
        {"bytes=100-", none},
        {"bytes=100-200", none},
        {"bytes=18446744073709551615-", none},
        {"bytes=18446744073709551616-", none},
        {"bytes=-0", none},
        {"bytes=5-4", whole},
        {"bytes=0-1,5-6", whole},
        {"bytes=0-1,", whole},
        {"bytes=", whole},
        {"bytes=-", whole},
        {"bytes=5", whole},
        {"bytes=a-b", whole},
        {"bytes=1-2x", whole},
        {"bytes=+1-2", whole},
        {"bytes=--5", whole},
        {"bytes", whole},
        {"items=0-1", whole},
        {"", whole},
    };
    for (const auto& [range, expected] : rows) {
        CAPTURE(range);
        CHECK(slice_of(range, 100) == expected);
    }
}

TEST_CASE("an empty file has no part") {
    for (const char* range : {"bytes=0-", "bytes=-5", "bytes=0-0"}) {
        CAPTURE(range);
        CHECK(slice_of(range, 0).kind == Slice::Kind::unsatisfiable);
    }
}
