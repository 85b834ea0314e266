#include "pep381d/pages/status_page.h"

#include <fmt/format.h>

#include "support/catch.h"

using namespace pep381d;

namespace {

Time at(std::string_view text) {
    return parse_basic(text).value();
}

Status sample() {
    Status status;
    status.version = "1.2.3";
    status.master = "https://user:secret@pypi.example";
    status.contact = "mirror@example.org";
    status.as_of = at("20261121T21:20:00");
    status.serial = Serial{123};
    status.last_modified = at("20261121T21:15:47");
    status.projects = 886000;
    status.files = 20000000;
    status.bytes = std::int64_t{32} << 40;
    status.last_poll = at("20261121T21:19:00");
    return status;
}

std::string count_of(const std::string& text, const std::string& part) {
    int n = 0;
    for (auto i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) ++n;
    return std::to_string(n);
}

}  // namespace

TEST_CASE("the status as JSON has every value under its name") {
    Status status = sample();
    status.protocol = "pep381";
    status.copied = true;
    status.pending = 2;
    status.failed = 1;
    status.failing = {{"foo", "https://x/: \"404\"", 3, at("20261121T22:00:00")},
                      {"bar", "\xff", 1, std::nullopt}};
    status.skipped = {{"../x", "not a legal name"}};
    status.last_error = "timeout";
    status.verified = at("20261120T00:00:00");
    status.damages = 2;
    status.newest_damage = "web/x: it is not there";
    status.reconciled = status.verified;
    status.reconcile_queued = 4;
    status.reconcile_absent = 1;
    status.sweep_began = status.verified;
    status.sweep_asked = 70;
    status.sweep_found = 3;
    status.filtered = true;
    CHECK(
        status_json(status) ==
        R"({"version":"1.2.3","master":"https://pypi.example","protocol":"pep381","pages":"copy","contact":"mirror@example.org",)"
        R"("coverage":"filtered","as_of":"2026-11-21T21:20:00Z","serial":123,)"
        R"("last_modified":"2026-11-21T21:15:47Z","projects":886000,"files":20000000,)"
        R"("bytes":35184372088832,"pending":2,"failed":1,"failing":[)"
        R"({"name":"foo","cause":"https://x/: \"404\"","attempts":3,"next_try":"2026-11-21T22:00:00Z"},)"
        "{\"name\":\"bar\",\"cause\":\"\xef\xbf\xbd\",\"attempts\":1,\"next_try\":null}],"
        R"("skipped":[{"name":"../x","cause":"not a legal name"}],)"
        R"("last_poll":"2026-11-21T21:19:00Z","last_error":"timeout","key_error":null,"paused":null,)"
        R"("verified":"2026-11-20T00:00:00Z","damages":2,"newest_damage":"web/x: it is not there",)"
        R"("reconcile":{"at":"2026-11-20T00:00:00Z","queued":4,"absent":1},)"
        R"("sweep":{"began":"2026-11-20T00:00:00Z","asked":70,"found":3,"last_whole":null,"last_found":0}})"
        "\n");
}

TEST_CASE("what is not known yet is null") {
    Status status;
    status.master = "https://pypi.org";
    const std::string json = status_json(status);
    for (const char* member :
         {R"("last_modified":null)", R"("last_poll":null)", R"("last_error":null)",
          R"("contact":null)", R"("failing":[])", R"("coverage":"full")"})
        CHECK_THAT(json, ContainsSubstring(member));
    CHECK_THAT(status_html(status), ContainsSubstring("not complete yet"));
}

TEST_CASE("that there is no room is told to people and to programs") {
    Status status = sample();
    status.shortage = "/srv: only 1 MiB are free, <less>";
    CHECK_THAT(status_json(status), ContainsSubstring("\"paused\":\"/srv: only 1 MiB"));
    CHECK_THAT(status_html(status), ContainsSubstring("until there is room: /srv: only 1 MiB are "
                                                      "free, &lt;less&gt;"));
}

TEST_CASE("the status page tells people the same") {
    const std::string html = status_html(sample());
    for (const char* part :
         {"<!DOCTYPE html>", "Mirror of https://pypi.example", "886,000", "20,000,000", "32.0 TiB",
          "2026-11-21 21:15:47 UTC", "href=\"mailto:mirror@example.org\"", "class=\"good\"",
          "pep381d 1.2.3", "href=\"status.json\""}) {
        CAPTURE(part);
        CHECK_THAT(html, ContainsSubstring(part));
    }
    for (const char* part : {"secret", "<script", "src=", "http://", "<h2>"}) {
        CAPTURE(part);
        CHECK_THAT(html, !ContainsSubstring(part));
    }
}

TEST_CASE("names and causes cannot write into the page") {
    Status status = sample();
    status.failing = {{"foo", "<script>alert(1)</script>", 1, std::nullopt}};
    status.skipped = {{"<b>", "\" onload=\""}};
    status.failed = 1;
    status.last_error = "<i>";
    status.contact = "javascript:alert(1)";
    const std::string html = status_html(status);
    for (const char* part : {"<script>", "<b>", "\" onload", "<i>", "href=\"javascript"}) {
        CAPTURE(part);
        CHECK_THAT(html, !ContainsSubstring(part));
    }
    CHECK_THAT(html, ContainsSubstring("&lt;script&gt;"));
    CHECK_THAT(html, ContainsSubstring("class=\"warn\""));
}

TEST_CASE("the page lists a hundred failing projects and counts the rest") {
    Status status = sample();
    for (int i = 0; i < 150; ++i)
        status.failing.push_back({fmt::format("project-{}", i), "cause", 1, std::nullopt});
    const std::string html = status_html(status);
    CHECK(count_of(html, "<td>project-") == "100");
    CHECK_THAT(html, ContainsSubstring("And 50 more"));
    CHECK(count_of(status_json(status), "\"name\":") == "150");
}
