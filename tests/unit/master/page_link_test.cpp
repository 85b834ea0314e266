#include "pep381d/master/page_link.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "support/catch.h"

using namespace pep381d;

namespace {

const std::string origin = "https://files.example:8443/";

std::string shown(const Outcome<std::string>& resolved) {
    return resolved ? resolved.value() : "refused: " + resolved.failure().what;
}

// Every path of up to `most` of these pieces.
std::vector<std::string> paths(std::size_t most) {
    const std::vector<std::string> pieces{"/",  ".", "..", "a", "%2E",      "%2f", "%zz", "%",
                                          "+",  "~", "-",  "_", "!",        " ",   "\t",  "\x7f",
                                          "\\", "?", "#",  "@", ":",        ";",   "=",   "&",
                                          "\"", "<", "'",  "(", "\xc3\xb6", "\xff"};
    std::vector<std::string> all{""};
    for (std::size_t done = 0, round = 0; round < most; ++round)
        for (const std::size_t end = all.size(); done < end; ++done)
            for (const std::string& piece : pieces) all.push_back(all[done] + piece);
    return all;
}

}  // namespace

TEST_CASE("a link of a page becomes an absolute URL") {
    auto base = PageLink::relative_to("https://pypi.example/simple/foo/");
    REQUIRE(base);
    const std::vector<std::pair<std::string, std::string>> table{
        {"https://files.example/packages/a/foo.whl", "https://files.example/packages/a/foo.whl"},
        {"http://127.0.0.1:8499/packages/a/foo.whl", "http://127.0.0.1:8499/packages/a/foo.whl"},
        {"../../packages/a/foo-1.0+x.whl", "https://pypi.example/packages/a/foo-1.0+x.whl"},
        {"../../../../../packages/foo.whl", "https://pypi.example/packages/foo.whl"},
        {"/packages/foo.whl", "https://pypi.example/packages/foo.whl"},
        {"//files.example/foo.whl", "https://files.example/foo.whl"},
        {"foo.whl", "https://pypi.example/simple/foo/foo.whl"},
        {"https://files.example/foo.whl#sha256=00", "https://files.example/foo.whl"},
        {"https://files.example/foo.whl?token=a&b=c#x",
         "https://files.example/foo.whl?token=a&b=c"},
        {"https://files.example/a/../b/./foo.whl", "https://files.example/b/foo.whl"},
        {"https://files.example/foo%2Bbar%20.whl", "https://files.example/foo%2Bbar%20.whl"},
        {"https://files.example/foo bar.whl", "https://files.example/foo%20bar.whl"},
        {"https://files.example/f\xc3\xb6.whl", "https://files.example/f%c3%b6.whl"},
        {"../../f\xc3\xb6 o.whl", "https://pypi.example/f%c3%b6%20o.whl"},
        {"HTTPS://files.example/foo.whl", "https://files.example/foo.whl"},
    };
    for (const auto& [link, url] : table) {
        INFO(link);
        const auto resolved = base->resolve(link);
        REQUIRE(resolved.ok());
        CHECK(resolved.value() == url);
    }
}

TEST_CASE("a link that is not plain http or https is refused, with the cause") {
    auto base = PageLink::relative_to("https://pypi.example/simple/foo/");
    REQUIRE(base);
    const std::vector<std::pair<std::string, std::string>> table{
        {"", "empty"},
        {"ftp://files.example/foo.whl", "not http or https"},
        {"file:///etc/passwd", "not http or https"},
        {"javascript:alert(1)", ""},
        {"data:text/html,x", ""},
        {"https://user@files.example/foo.whl", "user name"},
        {"https://user:secret@files.example/foo.whl", "user name"},
        {"//user@files.example/foo.whl", "user name"},
        {"https://files.example/foo\n.whl", "control characters"},
        {std::string("https://files.example/foo\0.whl", 30), "control characters"},
        {"https://files.example/foo\x7f.whl", "control characters"},
        {"https://f\xc3\xb6.example/foo.whl", "host name"},
        {"https://", "malformed"},
        {"https://files.example:99999/foo.whl", "malformed"},
        {"https://files.example/" + std::string(5000, 'a'), "longer than 4096"},
        {"https://files.example/" + std::string(2000, ' ') + "a", "longer than 4096"},
    };
    for (const auto& [link, cause] : table) {
        INFO(link);
        const auto resolved = base->resolve(link);
        REQUIRE_FALSE(resolved.ok());
        CHECK(resolved.failure().fault == Fault::refused);
        CHECK_THAT(resolved.failure().what, ContainsSubstring(cause));
        CHECK(resolved.failure().what.find("secret") == std::string::npos);
    }
}

TEST_CASE("what the base URL has for a password does not reach the links") {
    auto base = PageLink::relative_to("https://user:secret@pypi.example/simple/foo/");
    REQUIRE(base);
    const auto resolved = base->resolve("../../packages/foo.whl");
    REQUIRE(resolved.ok());
    CHECK(resolved.value() == "https://pypi.example/packages/foo.whl");
}

TEST_CASE("a base that is no http or https URL is none") {
    for (const char* base : {"", "foo", "/simple/foo/", "ftp://pypi.example/", "file:///simple/"}) {
        INFO(base);
        CHECK_FALSE(PageLink::relative_to(base));
    }
}

TEST_CASE("a link at an origin that was seen before resolves to what it would have been at first") {
    auto base = PageLink::relative_to("https://pypi.example/simple/foo/");
    REQUIRE(base);
    std::vector<std::string> links;
    for (const std::string& path : paths(3)) links.push_back(origin + path);
    for (const char* link :
         {"https://files.example:8443", "https://files.example:8443?x=/a",
          "https://files.example:8443#/a", "https://files.example:8443@evil.example/a",
          "https://files.example:84430/a", "HTTPS://files.example:8443/a",
          "https://FILES.example:8443/a", "http://files.example:8443/a", "/a", "//files.example/a"})
        links.emplace_back(link);
    links.push_back(origin + std::string(4096 - origin.size(), 'a'));
    links.push_back(origin + std::string(4097 - origin.size(), 'a'));

    // Each thread has seen no origin before; this one sees the same one before every link.
    std::vector<std::string> at_first(links.size());
    const std::string elsewhere = "https://other.example/a";
    std::thread([&] {
        for (std::size_t i = 0; i < links.size(); ++i) {
            CHECK(base->resolve(elsewhere).ok());
            at_first[i] = shown(base->resolve(links[i]));
        }
    }).join();
    for (std::size_t i = 0; i < links.size(); ++i) {
        REQUIRE(base->resolve(origin + "packages/foo.whl").ok());
        const std::string again = shown(base->resolve(links[i]));
        if (again == at_first[i]) continue;
        INFO(links[i]);
        CHECK(again == at_first[i]);
    }
}

TEST_CASE("a relative link resolves to the same whatever link came before it") {
    for (const char* page : {"https://pypi.example/a/b/foo/?x", "https://pypi.example"}) {
        auto seasoned = PageLink::relative_to(page);
        REQUIRE(seasoned);
        for (const char* before : {"../../packages/foo.whl", "../../", "../..", "../../../x",
                                   "../.././x", "../../a/../x", "../../a?x", "../../a#x",
                                   "/packages/foo.whl", "/", "//evil.example/x", "/../x"}) {
            shown(seasoned->resolve(before));
            for (const std::string& path : paths(2)) {
                for (const std::string& link : {"../../" + path, "/" + path}) {
                    auto fresh = PageLink::relative_to(page);
                    const std::string slowly = shown(fresh->resolve(link));
                    const std::string quickly = shown(seasoned->resolve(link));
                    if (quickly == slowly) continue;
                    INFO(page << " " << before << " " << link);
                    CHECK(quickly == slowly);
                }
            }
        }
    }
}

TEST_CASE("an origin that was not left as it was is looked at again") {
    auto base = PageLink::relative_to("https://pypi.example/simple/foo/");
    REQUIRE(base);
    for (const char* link : {"HTTPS://files.example/foo.whl", "https://files.example?/foo.whl",
                             "https://[::1]/foo.whl", "//files.example/foo.whl"}) {
        INFO(link);
        const std::string first = shown(base->resolve(link));
        CHECK(shown(base->resolve(link)) == first);
    }
    CHECK(shown(base->resolve("https://files.example/foo.whl")) == "https://files.example/foo.whl");
    CHECK_FALSE(base->resolve("https://files.example@evil.example/foo.whl").ok());
}
