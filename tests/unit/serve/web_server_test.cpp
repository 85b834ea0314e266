#include "pep381d/serve/web_server.h"

#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "pep381d/base/outcome.h"

#include "support/catch.h"
#include "support/served_mirror.h"

using namespace pep381d;
using namespace served;

namespace {

const std::string json_type = "application/vnd.pypi.simple.v1+json";
const std::string v1_html_type = "application/vnd.pypi.simple.v1+html";
const std::string html_type = "text/html; charset=utf-8";

std::string accept(const std::string& type) {
    return "Accept: " + type;
}

}  // namespace

TEST_CASE("the form of a page is negotiated") {
    const Mirror mirror;
    struct Row {
        const char* target;
        std::string accept;  // empty: none sent
        std::string type;
        std::string body;
    };
    const Row rows[] = {
        {"/simple/foo-bar/", json_type, json_type, json_page},
        {"/simple/foo-bar/", "application/vnd.pypi.simple.latest+json", json_type, json_page},
        {"/simple/foo-bar/", v1_html_type, v1_html_type, html_page},
        {"/simple/foo-bar/", "application/vnd.pypi.simple.latest+html", v1_html_type, html_page},
        {"/simple/foo-bar/", "text/html", html_type, html_page},
        {"/simple/foo-bar/", "*/*", html_type, html_page},
        {"/simple/foo-bar/", "", html_type, html_page},
        {"/simple/foo-bar/?format=application/vnd.pypi.simple.v1+json", "text/html", json_type,
         json_page},
        {"/simple/html-only/", json_type + ", text/html;q=0.1", html_type, html_page},
        {"/simple/json-only/", "", json_type, json_page},
        {"/simple/json-only/", "*/*", json_type, json_page},
        {"/simple/", json_type, json_type, R"({"meta":{"_last-serial":40},"projects":[]})"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.target, row.accept);
        std::vector<std::string> headers;
        if (!row.accept.empty()) headers.push_back(accept(row.accept));
        const WebAnswer answer = mirror.get(row.target, headers);
        CHECK(answer.status == 200);
        CHECK(answer.header("Content-Type") == row.type);
        CHECK(answer.header("Vary") == "Accept");
        CHECK(answer.body == row.body);
    }
}

TEST_CASE("several Accept lines count as one") {
    const Mirror mirror;
    const WebAnswer answer =
        mirror.get("/simple/foo-bar/", {accept("text/html;q=0.1"), accept(json_type)});
    CHECK(answer.header("Content-Type") == json_type);
}

TEST_CASE("a form that is not here, or that nobody has, is not acceptable") {
    const Mirror mirror;
    for (const auto& [target, type] : {std::pair{"/simple/html-only/", json_type},
                                       std::pair{"/simple/json-only/", std::string("text/html")},
                                       std::pair{"/simple/foo-bar/", std::string("image/png")}}) {
        CAPTURE(target);
        const WebAnswer answer = mirror.get(target, {accept(type)});
        CHECK(answer.status == 406);
        CHECK_THAT(answer.header("Content-Type"), ContainsSubstring("text/plain"));
        CHECK(answer.header("Vary") == "Accept");
    }
    CHECK(mirror.get("/simple/no-such/", {accept("image/png")}).status == 404);
}

TEST_CASE("a page carries its serial, its validators and leave for other origins") {
    const Mirror mirror;
    const timespec then[] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
    for (const char* name : {"index.html", "index.v1_json"}) {
        const auto path = mirror.directory.path() / "web/simple/foo-bar" / name;
        ::utimensat(AT_FDCWD, path.c_str(), then, 0);
    }
    for (const std::string& type : {json_type, v1_html_type, std::string("text/html")}) {
        CAPTURE(type);
        const WebAnswer answer = mirror.get("/simple/foo-bar/", {accept(type)});
        CHECK(answer.header("X-PyPI-Last-Serial") == "12");
        CHECK(answer.header("Cache-Control") == "max-age=600, public");
        CHECK(answer.header("Access-Control-Allow-Origin") == "*");
        CHECK(answer.header("Access-Control-Expose-Headers") == "X-PyPI-Last-Serial");
        CHECK(answer.header("ETag").front() == '"');
        CHECK(answer.header("ETag").back() == '"');
        CHECK(answer.header("Last-Modified") == "Tue, 14 Nov 2023 22:13:20 GMT");
        CHECK(answer.header("Content-Encoding").empty());
    }
    CHECK(mirror.get("/simple/").header("X-PyPI-Last-Serial") == "40");
}

TEST_CASE("an unchanged page is not sent again, each form on its own") {
    const Mirror mirror;
    const std::string json_tag = mirror.get("/simple/foo-bar/", {accept(json_type)}).header("ETag");
    const std::string html_tag = mirror.get("/simple/foo-bar/").header("ETag");
    const std::string v1_tag =
        mirror.get("/simple/foo-bar/", {accept(v1_html_type)}).header("ETag");
    CHECK(json_tag != html_tag);
    CHECK(html_tag != v1_tag);
    struct Row {
        std::string condition;
        int status;
    };
    const Row rows[] = {
        {html_tag, 304},
        {"W/" + html_tag, 304},
        {"\"other\", " + html_tag, 304},
        {"*", 304},
        {json_tag, 200},
        {v1_tag, 200},
        {"\"other\"", 200},
        {html_tag.substr(1, html_tag.size() - 2), 200},
    };
    for (const Row& row : rows) {
        CAPTURE(row.condition);
        const WebAnswer answer =
            mirror.get("/simple/foo-bar/", {"If-None-Match: " + row.condition});
        CHECK(answer.status == row.status);
        CHECK(answer.header("ETag") == html_tag);
        CHECK(answer.header("Vary") == "Accept");
        CHECK(answer.header("X-PyPI-Last-Serial") == "12");
        // A length in a 304 must be that of the 200 (RFC 9110 8.6).
        const std::string length = answer.header("Content-Length");
        CHECK((length.empty() || length == std::to_string(html_page.size())));
    }
}

TEST_CASE("an unchanged page that is sent from its descriptor has no body either") {
    const Mirror mirror;
    const std::string large = std::string(100000, ' ') + "<!--SERIAL 5-->\n";
    mirror.directory.write("web/simple/large/index.html", large);
    const WebAnswer whole = mirror.get("/simple/large/");
    CHECK((whole.body == large));
    CHECK(whole.header("X-PyPI-Last-Serial") == "5");
    const WebAnswer unchanged =
        mirror.get("/simple/large/", {"If-None-Match: " + whole.header("ETag")});
    CHECK(unchanged.status == 304);
}

TEST_CASE("two rewrites of equal length within a second are told apart") {
    const Mirror mirror;
    const std::string first = mirror.get("/simple/foo-bar/").header("ETag");
    std::string changed = html_page;
    changed.replace(changed.find("12"), 2, "13");
    mirror.directory.write("web/simple/foo-bar/index.html", changed);
    const WebAnswer second = mirror.get("/simple/foo-bar/", {"If-None-Match: " + first});
    CHECK(second.status == 200);
    CHECK(second.body == changed);
    CHECK(second.header("ETag") != first);
    CHECK(second.header("X-PyPI-Last-Serial") == "13");
    // The same bytes again are another file all the same.
    mirror.directory.write("web/simple/foo-bar/index.html", html_page);
    CHECK(mirror.get("/simple/foo-bar/", {"If-None-Match: " + first}).status == 200);
}

TEST_CASE("other spellings of a page's address are redirected, without naming a host") {
    const Mirror mirror;
    const std::pair<const char*, const char*> rows[] = {
        {"/simple", "simple/"},
        {"/simple/Foo.Bar", "foo-bar/"},
        {"/simple/Foo.Bar/?x=y", "../foo-bar/?x=y"},
        {"/simple/No_Such/", "../no-such/"},
    };
    for (const auto& [target, location] : rows) {
        CAPTURE(target);
        const WebAnswer answer = mirror.get(target);
        CHECK(answer.status == 301);
        CHECK(answer.header("Location") == location);
    }
    CHECK(mirror.get("/").header("Location") == "simple/");
    mirror.directory.write("web/status/index.html", "<!DOCTYPE html>\n");
    CHECK(mirror.get("/").status == 302);
    CHECK(mirror.get("/").header("Location") == "status/");
}

TEST_CASE("what is not there is not found, in plain text") {
    const Mirror mirror;
    for (const char* target :
         {"/simple/no-such/", "/simple/../../state.db", "/packages/%2e%2e/%2e%2e/state.db",
          "/packages/..%2f..%2fstate.db", "/packages/link", "/packages/ab", "/packages/ab/",
          "/packages/no/such.whl", "//simple/", "/state.db", "/simple/foo-bar/index.html",
          "/serverkey", "/serversig/other", "/local-stats/days/", "/status/", "/.well-known/x"}) {
        CAPTURE(target);
        const WebAnswer answer = mirror.get(target);
        CHECK(answer.status == 404);
        CHECK_THAT(answer.header("Content-Type"), ContainsSubstring("text/plain"));
        CHECK(answer.body == "Not found\n");
    }
    CHECK(mirror.get("simple/").status == 400);
}

TEST_CASE("a file is sent whole, with what a client needs to resume it") {
    const Mirror mirror;
    const WebAnswer answer = mirror.get("/" + wheel, {"Accept-Encoding: gzip"});
    CHECK(answer.status == 200);
    CHECK(answer.body == "0123456789");
    CHECK(answer.header("Content-Type") == "application/octet-stream");
    CHECK(answer.header("Content-Length") == "10");
    CHECK(answer.header("Accept-Ranges") == "bytes");
    CHECK(answer.header("Cache-Control") == "max-age=365000000, immutable, public");
    CHECK(answer.header("Content-Encoding").empty());
    CHECK(answer.header("ETag").front() == '"');
    CHECK(mirror.get("/" + wheel + ".metadata").body == "Metadata-Version: 2.1\n");
    CHECK(mirror.get("/" + wheel, {"If-None-Match: " + answer.header("ETag")}).status == 304);
    CHECK(
        mirror.get("/" + wheel, {"If-Modified-Since: " + answer.header("Last-Modified")}).status ==
        304);
}

TEST_CASE("a range of a file is sent alone") {
    const Mirror mirror;
    const WebAnswer whole = mirror.get("/" + wheel);
    const std::string tag = whole.header("ETag");
    const std::string date = whole.header("Last-Modified");
    struct Row {
        std::vector<std::string> headers;
        int status;
        const char* body;
        const char* content_range;
    };
    const Row rows[] = {
        {{"Range: bytes=0-0"}, 206, "0", "bytes 0-0/10"},
        {{"Range: bytes=2-4"}, 206, "234", "bytes 2-4/10"},
        {{"Range: bytes=7-"}, 206, "789", "bytes 7-9/10"},
        {{"Range: bytes=-3"}, 206, "789", "bytes 7-9/10"},
        {{"Range: bytes=0-1,4-5"}, 200, "0123456789", ""},
        {{"Range: bytes=2-4", "If-Range: " + tag}, 206, "234", "bytes 2-4/10"},
        {{"Range: bytes=2-4", "If-Range: " + date}, 206, "234", "bytes 2-4/10"},
        {{"Range: bytes=2-4", "If-Range: \"other\""}, 200, "0123456789", ""},
        {{"Range: bytes=2-4", "If-Range: W/" + tag}, 200, "0123456789", ""},
        {{"Range: bytes=2-4", "If-Range: Thu, 01 Jan 1970 00:00:00 GMT"}, 200, "0123456789", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.headers);
        const WebAnswer answer = mirror.get("/" + wheel, row.headers);
        CHECK(answer.status == row.status);
        CHECK(answer.body == row.body);
        CHECK(answer.header("Content-Range") == row.content_range);
        CHECK(answer.header("ETag") == tag);
    }
    const WebAnswer beyond = mirror.get("/" + wheel, {"Range: bytes=10-"});
    CHECK(beyond.status == 416);
    CHECK(beyond.header("Content-Range") == "bytes */10");
    // Pages change under their address: no part of them is offered.
    CHECK(mirror.get("/simple/foo-bar/", {"Range: bytes=0-0"}).status == 200);
}

TEST_CASE("HEAD tells what GET would") {
    const Mirror mirror;
    for (const std::string target : {"/simple/foo-bar/", "/last-modified", "/no", "/simple"}) {
        CAPTURE(target);
        const WebAnswer head = mirror.head(target);
        const WebAnswer whole = mirror.get(target);
        CHECK(head.status == whole.status);
        for (const char* name : {"Content-Length", "Content-Type", "ETag", "Location"})
            CHECK(head.header(name) == whole.header(name));
    }
    const WebAnswer head = mirror.head("/" + wheel, {"Range: bytes=0-1"});
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == "10");
    CHECK(head.header("Accept-Ranges") == "bytes");
}

TEST_CASE("only GET and HEAD are served") {
    const Mirror mirror;
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PURGE"}) {
        CAPTURE(method);
        const WebAnswer answer = ::get(mirror.server.port(), "/simple/", {}, method);
        CHECK(answer.status == 405);
        CHECK(answer.header("Allow") == "GET, HEAD");
        CHECK_THAT(answer.header("Content-Type"), ContainsSubstring("text/plain"));
    }
}

TEST_CASE("the body of a refused request is read, and the connection goes on") {
    const Mirror mirror;
    WebClient client(mirror.server.port());
    const std::string body(100000, 'x');
    client.send(fmt::format("POST /simple/ HTTP/1.1\r\nHost: m\r\nContent-Length: {}\r\n\r\n{}",
                            body.size(), body));
    CHECK(client.receive().status == 405);
    client.send("GET /last-modified HTTP/1.1\r\nHost: m\r\n\r\n");
    CHECK(client.receive().body == "20261121T21:15:47\n");
}

TEST_CASE("last-modified is one short piece for clients of HTTP/1.0") {
    const Mirror mirror;
    WebClient client(mirror.server.port());
    client.send("GET /last-modified HTTP/1.0\r\nHost: mirror\r\n\r\n");
    const std::string piece = client.receive_once();
    CHECK(piece.size() < 1200);
    CHECK_THAT(piece, ContainsSubstring(" 200 OK\r\n"));
    CHECK_THAT(piece, ContainsSubstring("Content-Type: text/plain\r\n"));
    CHECK_THAT(piece, ContainsSubstring("Content-Length: 18\r\n"));
    CHECK_THAT(piece, ContainsSubstring("\r\n\r\n20261121T21:15:47\n"));
    CHECK(client.closed());
}

TEST_CASE("a connection serves many requests where the client wants it to") {
    const Mirror mirror;
    SECTION("HTTP/1.1, and several at once") {
        WebClient client(mirror.server.port());
        client.send(
            "GET /simple/foo-bar/ HTTP/1.1\r\nHost: m\r\n\r\n"
            "GET /nothing HTTP/1.1\r\nHost: m\r\n\r\n"
            "GET /last-modified HTTP/1.1\r\nHost: m\r\n\r\n");
        CHECK(client.receive().body == html_page);
        CHECK(client.receive().status == 404);
        CHECK(client.receive().body == "20261121T21:15:47\n");
    }
    SECTION("HTTP/1.0 that asks for it") {
        WebClient client(mirror.server.port());
        for (int i = 0; i < 2; ++i) {
            client.send("GET /simple/foo-bar/ HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
            const WebAnswer answer = client.receive();
            CHECK(answer.body == html_page);
            CHECK(answer.header("Transfer-Encoding").empty());
        }
    }
}

TEST_CASE("extension-less files have the types that their readers expect") {
    const Mirror mirror;
    CHECK(mirror.get("/last-modified").header("Content-Type") == "text/plain");
    CHECK(mirror.get("/pypi/foo-bar/json").header("Content-Type") == "application/json");
    for (const char* target : {"/serversig/foo-bar", "/serversig/foo-bar/"}) {
        const WebAnswer answer = mirror.get(target);
        CHECK(answer.header("Content-Type") == "application/octet-stream");
        CHECK(answer.body.size() == 3);
    }
}
