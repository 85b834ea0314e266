#include "pep381d/base/units.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

TEST_CASE("a duration is read, and written in its shortest exact form") {
    struct Row {
        std::string text;
        std::chrono::milliseconds value;
        std::string written;
    };
    const auto row = GENERATE(values<Row>({
        {"0", 0ms, "0"},
        {"0s", 0ms, "0"},
        {"500ms", 500ms, "500ms"},
        {"1500ms", 1500ms, "1500ms"},
        {"90s", 90s, "90s"},
        {"60s", 60s, "1min"},
        {"15min", 15min, "15min"},
        {"24h", 24h, "1d"},
        {"25h", 25h, "25h"},
        {"30d", 720h, "30d"},
        {"36525d", 24h * 36525, "36525d"},
    }));
    CHECK(parse_duration(row.text) == row.value);
    CHECK(format_duration(row.value) == row.written);
    CHECK(parse_duration(row.written) == row.value);
}

TEST_CASE("what is no duration gives nothing") {
    const std::string text =
        GENERATE("", "s", "10", "-1s", "-0", "+1s", "1.5h", "1 h", " 1h", "1h ", "1h30min", "1m",
                 "1S", "1week", "36526d", "9223372036854775807d", "99999999999999999999s");
    INFO(text);
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("a size is read, and written in its shortest exact form") {
    struct Row {
        std::string text;
        std::int64_t value;
        std::string written;
    };
    const auto row = GENERATE(values<Row>({
        {"0", 0, "0"},
        {"0MiB", 0, "0"},
        {"123", 123, "123"},
        {"1024", 1024, "1KiB"},
        {"1536", 1536, "1536"},
        {"64KiB", 65536, "64KiB"},
        {"20MiB", 20 << 20, "20MiB"},
        {"1GiB", 1 << 30, "1GiB"},
        {"2048GiB", 2LL << 40, "2TiB"},
    }));
    CHECK(parse_size(row.text) == row.value);
    CHECK(format_size(row.value) == row.written);
}

TEST_CASE("what is no size gives nothing") {
    const std::string text = GENERATE("", "KiB", "-1", "-0", "1.5MiB", "1MB", "1kib", "1 MiB", "1B",
                                      "9223372036854775807KiB", "9223372036854775808");
    INFO(text);
    CHECK_FALSE(parse_size(text));
}

TEST_CASE("a size for people has three digits") {
    struct Row {
        std::int64_t bytes;
        std::string shown;
    };
    const auto row = GENERATE(values<Row>({
        {0, "0 B"},
        {999, "999 B"},
        {1000, "0.98 KiB"},
        {1024, "1.00 KiB"},
        {10'239, "10.0 KiB"},
        {102'390, "100 KiB"},
        {1'023'000, "999 KiB"},
        {1'023'900, "0.98 MiB"},
        {1'320'702'443, "1.23 GiB"},
        {std::int64_t{30} << 40, "30.0 TiB"},
        {std::int64_t{2000} << 50, "2000 PiB"},
    }));
    CHECK(display_size(row.bytes) == row.shown);
}
