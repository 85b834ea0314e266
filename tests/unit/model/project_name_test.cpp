#include "pep381d/model/project_name.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("a project has one name however it is written") {
    struct Row {
        std::string raw, text;
    };
    const auto row = GENERATE(values<Row>({
        {"requests", "requests"},
        {"Flask", "flask"},
        {"zope.interface", "zope-interface"},
        {"Foo__Bar..baz-_.qux", "foo-bar-baz-qux"},
        {"2to3", "2to3"},
        {"A", "a"},
        {"0", "0"},
    }));
    const auto name = ProjectName::parse(row.raw);
    REQUIRE(name);
    CHECK(name->text() == row.text);
    CHECK(ProjectName::parse(name->text()) == name);
}

TEST_CASE("a name that is not legal is no project name") {
    const std::string raw =
        GENERATE("", "-", ".", "..", "../x", "-a", "a-", "_a", "a.", "a b", "a/b", "a\\b", "a\n",
                 "a:b", "user:alice", "f\u00fc", "a%2e", "a*", "a\x7f");
    INFO(raw);
    CHECK_FALSE(ProjectName::parse(raw));
}

TEST_CASE("a NUL does not end a project name") {
    CHECK_FALSE(ProjectName::parse(std::string_view("a\0b", 3)));
}

TEST_CASE("a project name leaves room for .ed25519 in a path component") {
    CHECK(ProjectName::parse(std::string(247, 'x')));
    CHECK_FALSE(ProjectName::parse(std::string(248, 'x')));
}

TEST_CASE("project names sort by their normalized form") {
    CHECK(*ProjectName::parse("Zope") > *ProjectName::parse("abc"));
    CHECK(*ProjectName::parse("Foo.Bar") == *ProjectName::parse("foo-bar"));
}
