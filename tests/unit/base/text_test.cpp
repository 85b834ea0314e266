#include "pep381d/base/text.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("blanks at both ends are cut off") {
    CHECK(trim("") == "");
    CHECK(trim(" \t\r\n") == "");
    CHECK(trim("a") == "a");
    CHECK(trim(" a b\r\n") == "a b");
}

TEST_CASE("words are what stands between blanks") {
    using Words = std::vector<std::string_view>;
    CHECK(words("") == Words{});
    CHECK(words("  ") == Words{});
    CHECK(words("a") == Words{"a"});
    CHECK(words(" a\tbc  d\r\n") == Words{"a", "bc", "d"});
}

TEST_CASE("the length of a UTF-8 sequence is 0 where there is none") {
    struct Row {
        std::string_view text;
        std::size_t length;
    };
    const auto row = GENERATE(values<Row>({
        {"a", 1},
        {std::string_view("\0", 1), 1},
        {"\xc3\xa9x", 2},
        {"\xe2\x98\x83", 3},
        {"\xf0\x9f\x90\x8d", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\x80", 0},              // continuation without a start
        {"\xc3", 0},              // cut short
        {"\xe2\x98", 0},          //
        {"\xf0\x9f\x90", 0},      //
        {"\xc3x", 0},             // start without a continuation
        {"\xc0\xaf", 0},          // overlong slash
        {"\xe0\x80\xaf", 0},      //
        {"\xf0\x80\x80\xaf", 0},  //
        {"\xed\xa0\x80", 0},      // surrogate
        {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
        {"\xf8\x88\x80\x80\x80", 0},
    }));
    CHECK(utf8_length(row.text) == row.length);
}
