#include "pep381d/serve/request_path.h"

#include "support/catch.h"

using namespace pep381d;

using Kind = Resource::Kind;

TEST_CASE("a target names a place in the tree") {
    struct Row {
        const char* target;
        Kind kind;
        const char* path;
    };
    const Row rows[] = {
        {"/", Kind::home, ""},
        {"/simple/", Kind::page, "simple"},
        {"/simple/foo/", Kind::page, "simple/foo"},
        {"/simple/%66oo/", Kind::page, "simple/foo"},
        {"/simple/foo/?format=text/html", Kind::page, "simple/foo"},
        {"/simple/foo/#fragment", Kind::page, "simple/foo"},
        {"http://mirror:80/simple/foo/", Kind::page, "simple/foo"},
        {"http://mirror", Kind::home, ""},
        {"/packages/ab/cd/ef/foo-1.0.tar.gz", Kind::package, "packages/ab/cd/ef/foo-1.0.tar.gz"},
        {"/packages/a/foo-1+x.whl", Kind::package, "packages/a/foo-1+x.whl"},
        {"/packages/a/foo-1%2Bx.whl", Kind::package, "packages/a/foo-1+x.whl"},
        {"/packages/a/foo%20bar.zip", Kind::package, "packages/a/foo bar.zip"},
        {"/packages/a/foo.whl.metadata", Kind::package, "packages/a/foo.whl.metadata"},
        {"/packages/a/%2541.whl", Kind::package, "packages/a/%41.whl"},
        {"/last-modified", Kind::small_text, "last-modified"},
        {"/serversig/foo", Kind::signature, "serversig/foo"},
        {"/serversig/foo/", Kind::signature, "serversig/foo"},
        {"/serversig/foo.ed25519", Kind::signature, "serversig/foo.ed25519"},
        {"/serverkey", Kind::small_text, "serverkey"},
        {"/serverkey.ed25519", Kind::small_text, "serverkey.ed25519"},
        {"/pypi/foo/json", Kind::legacy_json, "pypi/foo/json"},
        {"/status/", Kind::status_html, "status/index.html"},
        {"/status/status.json", Kind::status_json, "status/status.json"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.target);
        const Resource resource = resource_of(row.target);
        CHECK(resource.kind == row.kind);
        CHECK(resource.path == row.path);
    }
}

TEST_CASE(
    "a name in another form is sent to the page's own address, relative to where it was asked") {
    const std::pair<const char*, const char*> rows[] = {
        {"/simple", "simple/"},
        {"/simple?a=b", "simple/?a=b"},
        {"/simple/foo", "foo/"},
        {"/simple/Foo.Bar", "foo-bar/"},
        {"/simple/Foo.Bar/", "../foo-bar/"},
        {"/simple/f__o/?format=text/html", "../f-o/?format=text/html"},
        {"/simple/Foo?bad query", "foo/"},
        {"/simple/Foo?\r\nSet-Cookie:x", "foo/"},
        {"/status", "status/"},
        {"/status/index.html", "./"},
    };
    for (const auto& [target, location] : rows) {
        CAPTURE(target);
        const Resource resource = resource_of(target);
        CHECK(resource.kind == Kind::redirect);
        CHECK(resource.location == location);
    }
}

TEST_CASE("what is not published has no address") {
    const char* rows[] = {
        "/simple/../../etc/passwd",
        "/simple/..",
        "/simple/.",
        "/simple/./foo/",
        "/simple/%2e%2e/%2e%2e/etc/passwd",
        "/simple/..%2f..%2fetc%2fpasswd",
        "/simple/foo%2f",
        "/packages/../../state.db",
        "/packages/%2e%2e/x",
        "/packages/%2E%2E%2Fx",
        "/packages/..%5c..%5cx",
        "/packages/a\\b",
        "/packages/a%00.whl",
        "/packages/a%0a.whl",
        "/packages/a%7f",
        "/packages/%c0%ae%c0%ae/../x",
        "/packages//a",
        "//packages/a",
        "//simple/",
        "/simple//",
        "/simple//foo/",
        "/packages/.hidden",
        "/packages/a/.b/c",
        "/packages/a%",
        "/packages/a%zz",
        "/packages/a%2",
        "/packages",
        "/packages/",
        "/packages/a/",
        "/simple/foo/1.0",
        "/simple/foo/index.html",
        "/simple/-foo/",
        "/simple/foo bar/",
        "/simple/f%C3%B6o/",
        "/.git/config",
        "/staging/x",
        "/state.db",
        "/serverkey/",
        "/serverkey.pem",
        "/serversig",
        "/serversig/",
        "/serversig/a/b",
        "/last-modified/",
        "/last-modified/x",
        "/pypi",
        "/pypi/foo",
        "/pypi/foo/xml",
        "/pypi/foo/json/",
        "/status/other",
        "/status/status.json/",
        "/local-stats/days/",
        "/favicon.ico",
        "/SIMPLE/",
    };
    for (const char* target : rows) {
        CAPTURE(target);
        CHECK(resource_of(target) == Resource{});
    }
}

TEST_CASE("a target that is no path is a bad request") {
    for (const char* target : {"", "*", "simple/", "?a", "mirror:80"}) {
        CAPTURE(target);
        CHECK(resource_of(target).kind == Kind::bad);
    }
}
