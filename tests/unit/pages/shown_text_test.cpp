#include "pep381d/pages/shown_text.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("text from outside is shown as well-formed UTF-8") {
    const std::string good = "a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d";
    CHECK(shown(good) == good);
    const std::string mark = "\xef\xbf\xbd";
    const std::pair<std::string, std::string> rows[] = {
        {"\xff", mark},
        {"a\x80z", "a" + mark + "z"},
        {"\xc0\xaf", mark + mark},
        {"\xe2\x82", mark + mark},
        {"\xc3(", mark + "("},
        {"\xe0\x80\xaf", mark + mark + mark},
        {"\xed\xa0\x80", mark + mark + mark},
        {"\xf4\x90\x80\x80", mark + mark + mark + mark},
        {"\xc2\x9b", mark + mark},
        {"foo\xe2\x80\xaegpj.exe", "foo" + mark + mark + mark + "gpj.exe"},
        {"\xe2\x81\xa6", mark + mark + mark},
        {std::string("a\0b\n\x1b[1m\x7f", 9), "a" + mark + "b" + mark + mark + "[1m" + mark},
    };
    for (const auto& [text, expected] : rows) CHECK(shown(text) == expected);
}

TEST_CASE("text in a page is text, whatever it holds") {
    CHECK(shown_html(R"(<a href="x">&amp;'</a>)") ==
          "&lt;a href=&quot;x&quot;&gt;&amp;amp;'&lt;/a&gt;");
}
