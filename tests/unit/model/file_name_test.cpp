#include "pep381d/model/file_name.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("a name that a file system can hold is a legal path component") {
    const std::string name =
        GENERATE("a", "a..", "foo-1.0.tar.gz", "foo 1.0.zip", "foo-1.0-py3-none-any.whl", "~",
                 "-rf", "f\u00fc\u00fc-1.0.zip", "a<b>&\"c'", "a%2fb", "\u00a0");
    INFO(name);
    CHECK(legal_path_component(name));
}

TEST_CASE("a name that could leave its directory or forge a line is no path component") {
    const std::string name =
        GENERATE("", ".", "..", "/", "a/b", "../a", "a\\b", "a\nb", "a\tb", "\x7f", "\x1b[31m",
                 "a\u0085", "\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80");
    INFO(name);
    CHECK_FALSE(legal_path_component(name));
    CHECK_FALSE(FileName::parse(name));
}

TEST_CASE("a name that a web server would obey or hide is no path component") {
    const std::string name = GENERATE(".htaccess", ".git", "...", ".foo-1.0.zip");
    INFO(name);
    CHECK_FALSE(legal_path_component(name));
    CHECK_FALSE(FileName::parse(name));
}

TEST_CASE("a NUL does not end a path component") {
    CHECK_FALSE(legal_path_component(std::string_view("a\0b", 3)));
}

TEST_CASE("a path component has at most 255 bytes, a file name room for .metadata") {
    CHECK(legal_path_component(std::string(255, 'x')));
    CHECK_FALSE(legal_path_component(std::string(256, 'x')));
    CHECK(FileName::parse(std::string(246, 'x')));
    CHECK_FALSE(FileName::parse(std::string(247, 'x')));
}

TEST_CASE("a file name is kept as it is") {
    CHECK(FileName::parse("Foo_Bar-1.0.TAR.gz")->text() == "Foo_Bar-1.0.TAR.gz");
    CHECK(*FileName::parse("a") < *FileName::parse("b"));
}
