#include "pep381d/base/log.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("text from outside becomes one word of a log line") {
    struct Row {
        std::string text, word;
    };
    const auto row = GENERATE(values<Row>({
        {"requests", "requests"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a\nlevel=error forged", "\"a\\x0alevel=error forged\""},
        {"say \"hi\"", "\"say \\\"hi\\\"\""},
        {"C:\\x", "\"C:\\\\x\""},
        {std::string("a\0b", 3), "\"a\\x00b\""},
        {"\x1b[31mred", "\"\\x1b[31mred\""},
        {"\x7f", "\"\\x7f\""},
        {"Ümlaut\u2603", "Ümlaut\u2603"},
        {"c1 \u009b31m", "\"c1 \\xc2\\x9b31m\""},
        {"foo\u202egpj.exe", "\"foo\\xe2\\x80\\xaegpj.exe\""},
        {"bad \xff utf-8 \xc3", "\"bad \\xff utf-8 \\xc3\""},
    }));
    CHECK(quoted(row.text) == row.word);
}

TEST_CASE("a long text is cut at 300 bytes and never within a character") {
    CHECK(quoted(std::string(300, 'x')) == std::string(300, 'x'));
    CHECK(quoted(std::string(301, 'x')) == std::string(300, 'x') + "...");
    const std::string snowman = "\u2603";  // three bytes
    CHECK(quoted(std::string(299, 'x') + snowman + "yy") ==
          std::string(299, 'x') + snowman + "...");
    CHECK(quoted(std::string(100'000, '\n')).size() < 1300);
}

TEST_CASE("a URL is shown without user name and password") {
    struct Row {
        std::string url, shown;
    };
    const auto row = GENERATE(values<Row>({
        {"https://pypi.org/simple/", "https://pypi.org/simple/"},
        {"https://me:secret@pypi.org/simple/", "https://pypi.org/simple/"},
        {"https://me@pypi.org", "https://pypi.org"},
        {"https://me:p@ss@pypi.org:443/x", "https://pypi.org:443/x"},
        {"https://me:secret@pypi.org?x=1", "https://pypi.org?x=1"},
        {"https://pypi.org/@scope/x", "https://pypi.org/@scope/x"},
        {"https://pypi.org/?mail=a@b", "https://pypi.org/?mail=a@b"},
        {"me:secret@proxy:3128", "proxy:3128"},
        {"http:/me:secret@proxy:3128/x", "http:/proxy:3128/x"},
        {"http:///me:secret@proxy:3128", "http:///proxy:3128"},
        {"me:secret@proxy/x://y", "proxy/x://y"},
        {"/", "/"},
        {"/simple/a@b", "/simple/a@b"},
        {"", ""},
    }));
    CHECK(display_url(row.url) == row.shown);
}
