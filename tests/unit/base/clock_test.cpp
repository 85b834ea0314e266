#include "pep381d/base/clock.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {
Time at(std::chrono::seconds since_epoch) {
    return Time(since_epoch);
}
}  // namespace

TEST_CASE("a time is written as last-modified and as ISO 8601") {
    struct Row {
        Time time;
        std::string basic, iso;
    };
    const auto row = GENERATE(values<Row>({
        {at(0s), "19700101T00:00:00", "1970-01-01T00:00:00Z"},
        {at(1795295747s), "20261121T21:15:47", "2026-11-21T21:15:47Z"},
        {at(1795295747s) + 999ms, "20261121T21:15:47", "2026-11-21T21:15:47Z"},
        {at(-1s), "19691231T23:59:59", "1969-12-31T23:59:59Z"},
        {at(0s) - 1ms, "19691231T23:59:59", "1969-12-31T23:59:59Z"},
        {at(951782400s), "20000229T00:00:00", "2000-02-29T00:00:00Z"},
        {at(253402300799s), "99991231T23:59:59", "9999-12-31T23:59:59Z"},
    }));
    CHECK(format_basic(row.time) == row.basic);
    CHECK(format_iso(row.time) == row.iso);
    CHECK(parse_basic(row.basic) == std::chrono::floor<std::chrono::seconds>(row.time));
}

TEST_CASE("only the exact form of last-modified is read") {
    const std::string text = GENERATE(
        "", "20261121", "20261121T21:15", "20261121T21:15:47Z", "20261121T21:15:47\n",
        " 20261121T21:15:47", "20261121T1:15:47", "2026-11-21T21:15:47", "20261121 21:15:47",
        "20261321T21:15:47", "20260230T21:15:47", "20261121T24:15:47", "20261121T21:15:60");
    INFO(text);
    CHECK_FALSE(parse_basic(text));
}

TEST_CASE("a NUL does not end the text that is read") {
    CHECK_FALSE(parse_basic(std::string_view("20261121T21:15:47\0x", 19)));
}

TEST_CASE("the system's clock tells the present and goes forward") {
    const SystemClock clock;
    const Steady before = clock.steady();
    CHECK(clock.now() > at(1700000000s));
    CHECK(clock.steady() >= before);
}
