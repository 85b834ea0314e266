#include "pep381d/master/protocol.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("the protocols are known by name") {
    for (const Protocol protocol :
         {Protocol::automatic, Protocol::warehouse, Protocol::pep381, Protocol::simple})
        CHECK(protocol_named(name_of(protocol)) == protocol);
    CHECK(name_of(Protocol::automatic) == "auto");
    CHECK(!protocol_named("bandersnatch"));
}

TEST_CASE("a page is asked for as its era has it") {
    const auto name = *ProjectName::parse("Foo_Bar.x");
    CHECK(page_path(Protocol::warehouse, name, "Foo_Bar.x") == "/simple/foo-bar-x/");
    CHECK(page_path(Protocol::simple, name, "Foo_Bar.x") == "/simple/foo-bar-x/");
    CHECK(page_path(Protocol::pep381, name, "Foo_Bar.x") == "/simple/Foo_Bar.x/");
}

TEST_CASE("an answer is taken for what its type says, where that was asked for") {
    const std::string json = "application/vnd.pypi.simple.v1+json";
    const std::string html = "text/html; charset=UTF-8";
    CHECK(page_format(Protocol::warehouse, json) == PageFormat::json);
    CHECK(!page_format(Protocol::warehouse, html));
    CHECK(page_format(Protocol::pep381, html) == PageFormat::html);
    CHECK(!page_format(Protocol::pep381, json));
    CHECK(page_format(Protocol::simple, json) == PageFormat::json);
    CHECK(page_format(Protocol::simple, html) == PageFormat::html);
    CHECK(page_format(Protocol::simple, "application/vnd.pypi.simple.v1+html") == PageFormat::html);
    CHECK(!page_format(Protocol::simple, "application/octet-stream"));
    CHECK(!page_format(Protocol::simple, ""));
}

TEST_CASE("last-modified is read in the forms that mirrors write") {
    const auto time = read_last_modified("20261121T21:15:47\n");
    REQUIRE(time);
    CHECK(format_basic(*time) == "20261121T21:15:47");
    CHECK(read_last_modified("2026-11-21T21:15:47") == time);
    CHECK(read_last_modified("  20261121T21:15:47Z\r\n") == time);
    for (const char* text :
         {"", "now", "20261121T21:15", "20261321T21:15:47", "20261121T24:15:47",
          "2026112aT21:15:47", "20261121 21:15:47", "2026/11/21T21:15:47",
          "2026-11-21T21:15:47+00:00", "00001121T21:15:47", "20260230T00:00:00"}) {
        INFO(text);
        CHECK(!read_last_modified(text));
    }
}
