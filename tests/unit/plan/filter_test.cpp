#include "pep381d/plan/filter.h"

#include "support/catch.h"

using namespace pep381d;

namespace {

bool wants(const Filter& filter, const char* name) {
    return filter.wants(*ProjectName::parse(name));
}

}  // namespace

TEST_CASE("a star alone wants everything") {
    const Filter filter({"*"}, {});
    CHECK(filter.everything());
    CHECK(wants(filter, "anything"));
}

TEST_CASE("names are compared in their normalized form") {
    const Filter filter({"Foo_Bar", "requests"}, {});
    CHECK_FALSE(filter.everything());
    CHECK(wants(filter, "foo.bar"));
    CHECK(wants(filter, "Requests"));
    CHECK_FALSE(wants(filter, "flask"));
    CHECK(filter.named() == std::unordered_set<std::string>{"foo-bar", "requests"});
}

TEST_CASE("a pattern matches any run of characters at its stars") {
    const Filter filter({"Zope.*", "*-stubs", "a*b*c"}, {});
    CHECK(wants(filter, "zope-interface"));
    CHECK_FALSE(wants(filter, "zope"));
    CHECK(wants(filter, "types-stubs"));
    CHECK(wants(filter, "axxbyybc"));
    CHECK_FALSE(wants(filter, "axxcb"));
    CHECK(filter.named().empty());
}

TEST_CASE("what is blocked stays blocked, whatever else is said") {
    const Filter filter({"*", "evil"}, {"Evil", "spam-*"});
    CHECK_FALSE(filter.everything());
    CHECK(wants(filter, "good"));
    CHECK_FALSE(wants(filter, "evil"));
    CHECK_FALSE(wants(filter, "spam-eggs"));
}

TEST_CASE("filters that want the same have the same fingerprint, and others another") {
    CHECK(Filter({"b", "A"}, {}).fingerprint() == Filter({"a", "B"}, {}).fingerprint());
    CHECK(Filter({"a"}, {}).fingerprint() != Filter({"a", "b"}, {}).fingerprint());
    CHECK(Filter({"a"}, {"b"}).fingerprint() != Filter({"a", "b"}, {}).fingerprint());
}
