// The sample master over HTTP: forms, conditions, ranges, faults, control and counts.
#include <thread>

#include <simdjson.h>

#include "support/catch.h"
#include "support/http_client.h"
#include "support/sample/archive.h"
#include "support/sample_master.h"

namespace sample {
namespace {

constexpr auto v1_json = "application/vnd.pypi.simple.v1+json",
               v1_html = "application/vnd.pypi.simple.v1+html",
               plain_html = "text/html; charset=utf-8";

struct World {
    SampleMaster master{{"127.0.0.1:0", "127.0.0.1:0", 12, 40, 1}};

    Fetched get(const std::string& path, const std::vector<std::string>& headers = {}) const {
        return fetch({master.url() + path, headers, {}, false, 20'000});
    }
    Fetched get_file(const std::string& path, const std::vector<std::string>& headers = {}) const {
        return fetch({master.files_url() + path, headers, {}, false, 20'000});
    }
    Fetched post(const std::string& path, const std::string& body,
                 const std::string& type = "application/x-www-form-urlencoded") const {
        return fetch({master.url() + path, {"Content-Type: " + type}, body, false, 20'000});
    }
    Fetched call(const std::string& method) const {
        return post("/pypi", "<methodCall><methodName>" + method + "</methodName></methodCall>",
                    "text/xml");
    }
    // The path of the project's first wheel.
    std::string wheel(const std::string& project) const {
        simdjson::dom::parser parser;
        const simdjson::dom::element page = parser.parse(master.page(project));
        for (const auto file : page["files"].get_array()) {
            const std::string url{std::string_view{file["url"]}};
            if (url.ends_with(".whl")) return url.substr(master.files_url().size());
        }
        FAIL("no wheel of " << project);
        return {};
    }
};

}  // namespace

TEST_CASE("the sample master answers in the form that is asked for") {
    const World world;
    struct Case {
        std::string target;
        std::vector<std::string> headers;
        std::string type;
    };
    const std::string accept = "Accept: ";
    const std::vector<Case> cases{
        {"/simple/idna/", {"Accept:"}, plain_html},
        {"/simple/idna/", {"Accept: */*"}, plain_html},
        {"/simple/idna/", {"Accept: image/png"}, plain_html},
        {"/simple/idna/", {accept + v1_json}, v1_json},
        {"/simple/", {accept + v1_json + ", " + v1_html + "; q=0.1, text/html; q=0.01"}, v1_json},
        {"/simple/", {accept + v1_html}, v1_html},
        {"/simple/", {"Accept: application/vnd.pypi.simple.latest+json"}, v1_json},
        {"/simple/?format=application/vnd.pypi.simple.v1+json", {"Accept: text/html"}, v1_json},
        {"/simple/?format=application/vnd.pypi.simple.v1%2Bjson", {"Accept: text/html"}, v1_json}};
    for (const auto& one : cases) {
        INFO(one.target << " " << one.headers[0]);
        const auto answer = world.get(one.target, one.headers);
        CHECK(answer.status == 200);
        CHECK(answer.headers.at("content-type") == one.type);
        CHECK(answer.headers.at("vary") == "Accept, Accept-Encoding");
        CHECK(answer.headers.at("cache-control") == "max-age=600, public");
        CHECK(answer.headers.contains("x-pypi-last-serial"));
    }
}

TEST_CASE("the sample master redirects to the one true address, and knows what it has not") {
    const World world;
    for (const auto& [from, to] :
         {std::pair{"/simple", "/simple/"}, std::pair{"/simple/idna", "/simple/idna/"},
          std::pair{"/simple/IDNA/", "/simple/idna/"},
          std::pair{"/simple/Charset_Normalizer/", "/simple/charset-normalizer/"}}) {
        INFO(from);
        const auto answer = world.get(from);
        CHECK(answer.status == 301);
        CHECK(answer.headers.at("location") == to);
    }
    for (const std::string path :
         {"/simple/nobody/", "/simple/nobody", "/", "/pypi", "/simple/idna/x/"}) {
        INFO(path);
        CHECK(world.get(path).status == 404);
        CHECK(world.get(path).headers.at("content-type") == "text/plain; charset=utf-8");
    }
    CHECK(world.post("/pypi", "<methodCall/>", "application/json").status == 404);
}

TEST_CASE("a page that the client has is answered with 304, for each coding its own") {
    const World world;
    const auto plain = world.get("/simple/idna/");
    const auto zipped = world.get("/simple/idna/", {"Accept-Encoding: gzip"});
    CHECK(zipped.headers.at("content-encoding") == "gzip");
    CHECK(zipped.body == gzip(plain.body));
    CHECK(zipped.headers.at("etag") != plain.headers.at("etag"));
    const auto again = world.get("/simple/idna/", {"If-None-Match: " + plain.headers.at("etag")});
    CHECK(again.status == 304);
    CHECK(again.body.empty());
    CHECK(world.get("/simple/idna/", {"If-None-Match: \"other\""}).status == 200);
}

TEST_CASE("files are served whole, in parts and by their heads, and their companions with them") {
    const World world;
    const auto path = world.wheel("idna");
    const auto whole = world.get_file(path);
    REQUIRE(whole.status == 200);
    CHECK(whole.body == world.master.file(path));
    const auto size = whole.body.size();
    CHECK(whole.headers.at("cache-control") == "max-age=365000000, immutable, public");
    CHECK_FALSE(whole.headers.contains("x-pypi-last-serial"));
    const auto etag = whole.headers.at("etag");

    struct Case {
        std::vector<std::string> headers;
        int status;
        std::string body;
    };
    const std::vector<Case> cases{
        {{"Range: bytes=0-9"}, 206, whole.body.substr(0, 10)},
        {{"Range: bytes=100-"}, 206, whole.body.substr(100)},
        {{"Range: bytes=-7"}, 206, whole.body.substr(size - 7)},
        {{"Range: bytes=5-99999999"}, 206, whole.body.substr(5)},
        {{"Range: bytes=99999999-"}, 416, ""},
        {{"Range: bytes=0-1,4-5"}, 200, whole.body},
        {{"Range: lines=1-2"}, 200, whole.body},
        {{"Range: bytes=100-", "If-Range: " + etag}, 206, whole.body.substr(100)},
        {{"Range: bytes=100-", "If-Range: \"other\""}, 200, whole.body},
        {{"If-None-Match: " + etag}, 200, whole.body}};
    for (const auto& one : cases) {
        INFO(one.headers[0]);
        const auto part = world.get_file(path, one.headers);
        CHECK(part.status == one.status);
        CHECK(part.body == one.body);
    }
    CHECK(world.get_file(path, {"Range: bytes=-7"}).headers.at("content-range") ==
          "bytes " + std::to_string(size - 7) + "-" + std::to_string(size - 1) + "/" +
              std::to_string(size));
    const auto head = fetch({world.master.files_url() + path, {}, {}, true, 20'000});
    CHECK(head.headers.at("content-length") == std::to_string(size));
    CHECK(head.body.empty());
    CHECK_THAT(world.get_file(path + ".metadata").body, ContainsSubstring("Name: idna\n"));
    CHECK(world.get_file("/packages/00/00/00/idna-1.0.tar.gz").status == 404);
}

TEST_CASE("XML-RPC answers on each of PyPI's paths") {
    const World world;
    const std::string body =
        "<methodCall><methodName>changelog_last_serial</methodName></methodCall>";
    for (const std::string path : {"/pypi", "/pypi/", "/RPC2"}) {
        const auto answer = world.post(path, body, "text/xml; charset=utf-8");
        CHECK(answer.status == 200);
        CHECK(answer.headers.at("content-type") == "text/xml; charset=UTF-8");
        CHECK_THAT(answer.body,
                   ContainsSubstring("<int>" + std::to_string(world.master.serial()) + "</int>"));
    }
    CHECK_THAT(world.call("list_packages_with_serial").body,
               ContainsSubstring("<name>Charset_Normalizer</name>"));
}

TEST_CASE("a fault spoils as many answers as it should, and no others") {
    World world;
    const auto good = world.get("/simple/idna/").body;
    world.master.fault({"/simple/idna/", "status", "503", 2, "7"});
    CHECK(world.get("/simple/certifi/").status == 200);
    for (int n = 0; n < 2; ++n) {
        const auto bad = world.get("/simple/idna/");
        CHECK(bad.status == 503);
        CHECK(bad.headers.at("retry-after") == "7");
    }
    CHECK(world.get("/simple/idna/").body == good);

    world.master.fault({"method:changelog_last_serial", "status", "500", -1, {}});
    for (int n = 0; n < 3; ++n) CHECK(world.call("changelog_last_serial").status == 500);
    CHECK(world.call("list_packages_with_serial").status == 200);
    world.master.clear_faults();
    CHECK(world.call("changelog_last_serial").status == 200);
    world.master.fault({"/simple/$", "status", "500", -1, {}});
    CHECK(world.get("/simple/").status == 500);
    CHECK(world.get("/simple/idna/").status == 200);
}

TEST_CASE("faults spoil bodies and places") {
    World world;
    const auto path = world.wheel("idna");
    const auto good = world.get_file(path).body;
    world.master.fault({path, "wrong-bytes", {}, 1, {}});
    const auto wrong = world.get_file(path);
    CHECK(wrong.body.size() == good.size());
    CHECK(wrong.body != good);
    world.master.fault({path, "cut", "100", 1, {}});
    const auto cut = world.get_file(path);
    CHECK(cut.body == good.substr(0, 100));
    CHECK_FALSE(cut.error.empty());
    world.master.fault({path, "body", "something else", 1, {}});
    CHECK(world.get_file(path).body == "something else");
    world.master.fault({path, "redirect", "http://127.0.0.1:1/there", 1, {}});
    const auto moved = world.get_file(path);
    CHECK(moved.status == 302);
    CHECK(moved.headers.at("location") == "http://127.0.0.1:1/there");
    world.master.fault({path + ".metadata", "drip", "1", 1, {}});
    CHECK_THAT(world.get_file(path + ".metadata").body, ContainsSubstring("Name: idna\n"));
    world.master.fault({path, "reset", {}, 1, {}});
    CHECK_THAT(world.get_file(path).error, ContainsSubstring("receiving"));
    world.master.fault({path, "endless", {}, 1, {}});
    CHECK(fetch({world.master.files_url() + path, {}, {}, false, 300}).body.size() >
          2 * good.size());
    world.master.fault({path, "delay", "1", 1, {}});
    CHECK(world.get_file(path).body == good);
    CHECK(world.get_file(path).body == good);
    CHECK_THROWS_AS(world.master.fault({path, "no-such", {}, 1, {}}), std::invalid_argument);
    CHECK_THROWS_AS(world.master.fault({path, "cut", "x", 1, {}}), std::invalid_argument);
}

TEST_CASE("a hanging answer holds up nobody else, and the end of the master ends it") {
    auto world = std::make_unique<World>();
    world->master.fault({"/simple/idna/", "hang", {}, 1, {}});
    Fetched hung;
    std::thread waiting{[url = world->master.url(), &hung] {
        hung = fetch({url + "/simple/idna/", {}, {}, false, 60'000});
    }};
    while (world->master.requests().total == 0) std::this_thread::yield();
    CHECK(world->get("/simple/idna/").status == 200);
    world.reset();
    waiting.join();
    CHECK(hung.status == 0);
    CHECK_FALSE(hung.error.empty());
}

TEST_CASE("a stale answer is that of before the latest event, in page, root, lists and serials") {
    World world;
    const auto page = world.get("/simple/idna/");
    const auto root = world.get("/simple/", {std::string{"Accept: "} + v1_json});
    const auto list = world.call("list_packages_with_serial"),
               last = world.call("changelog_last_serial");
    world.master.event({"new-release", "idna", {}, {}, {}});
    world.master.fault({"/simple/", "stale", {}, 2, {}});
    world.master.fault({"method:list_packages_with_serial", "stale", {}, 1, {}});
    world.master.fault({"method:changelog_last_serial", "stale", {}, 1, {}});
    const auto stale = world.get("/simple/idna/");
    CHECK(stale.body == page.body);
    CHECK(stale.headers.at("x-pypi-last-serial") == page.headers.at("x-pypi-last-serial"));
    CHECK(world.get("/simple/", {std::string{"Accept: "} + v1_json}).body == root.body);
    CHECK(world.call("list_packages_with_serial").body == list.body);
    CHECK(world.call("changelog_last_serial").body == last.body);
    CHECK(world.get("/simple/idna/").body != page.body);
    CHECK(world.call("changelog_last_serial").body != last.body);
}

TEST_CASE("requests are counted by what they ask for, control calls are not") {
    World world;
    world.get("/simple/idna/");
    world.get("/simple/idna/?x=1");
    world.call("changelog_last_serial");
    const auto path = world.wheel("idna");
    const auto size = static_cast<std::int64_t>(world.get_file(path).body.size());
    world.get("/+sample/requests");
    const auto seen = world.master.requests();
    CHECK(seen.total == 4);
    CHECK(seen.bytes > size);
    CHECK(seen.counts.at("GET /simple/idna/") == 2);
    CHECK(seen.counts.at("POST changelog_last_serial") == 1);
    CHECK(seen.counts.at("GET " + path) == 1);
    world.master.reset_requests();
    CHECK(world.master.requests().total == 0);
    CHECK(world.get("/+sample/requests").body == "{\"total\":0,\"bytes\":0,\"counts\":{}}\n");
}

TEST_CASE("tests in other languages steer it below /+sample/") {
    World world;
    const auto event = world.post("/+sample/event", "action=yank&project=idna&reason=a%26b+c");
    CHECK(event.status == 200);
    CHECK_THAT(event.body, ContainsSubstring("\"project\":\"idna\",\"touched\":[\"/packages/"));
    CHECK_THAT(world.master.page("idna"), ContainsSubstring("\"yanked\":\"a&b c\""));
    CHECK_THAT(world.post("/+sample/random", "count=5&seed=2").body,
               ContainsSubstring("\"projects\":[\""));

    world.post("/+sample/fault", "match=/simple/idna/&kind=status&value=404&times=-1");
    CHECK(world.get("/simple/idna/").status == 404);
    world.post("/+sample/fault/clear", "x=");
    CHECK(world.get("/simple/idna/").status == 200);

    world.post("/+sample/raw",
               "target=/simple/odd%2520name/&status=203&type=text/"
               "odd&header=X-A:+1&header=X-B:2&body=%00odd");
    const auto raw = world.get("/simple/odd%20name/");
    CHECK(raw.status == 203);
    CHECK(raw.headers.at("content-type") == "text/odd");
    CHECK(raw.headers.at("x-a") == "1");
    CHECK(raw.headers.at("x-b") == "2");
    CHECK(raw.body == std::string("\0odd", 4));
    world.post("/+sample/raw/clear", "x=");
    CHECK(world.get("/simple/odd%20name/").status == 404);

    const auto serial = world.master.serial();
    world.post("/+sample/extra", "project=idna&file_json=%7B%22filename%22:%22../x%22%7D");
    CHECK_THAT(world.master.page("idna"), ContainsSubstring(",{\"filename\":\"../x\"}],"));
    CHECK(world.master.serial() > serial);

    for (const auto& [call, form] :
         {std::pair{"event", "action=none"}, std::pair{"fault", "match=/&kind=none"},
          std::pair{"nothing", "x="}, std::pair{"random", "count=x"},
          std::pair{"extra", "project=nobody&file_json=%7B%7D"}}) {
        INFO(call);
        const auto refused = world.post(std::string{"/+sample/"} + call, form);
        CHECK(refused.status == 400);
        CHECK_THAT(refused.body, ContainsSubstring("\"error\":\""));
    }
}

}  // namespace sample
