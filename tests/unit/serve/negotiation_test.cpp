#include "pep381d/serve/negotiation.h"

#include <string>

#include "support/catch.h"

using namespace pep381d;

namespace {

// The representations as letters, best first.
std::string letters(const std::vector<Representation>& representations) {
    std::string text;
    for (const Representation r : representations)
        text += r == Representation::json ? 'j' : r == Representation::v1_html ? 'v' : 'h';
    return text;
}

#define SIMPLE "application/vnd.pypi.simple."

}  // namespace

TEST_CASE("the Accept header decides on the form of a page") {
    struct Row {
        const char* client;
        const char* accept;
        const char* expected;
    };
    const Row rows[] = {
        {"pip", SIMPLE "v1+json, " SIMPLE "v1+html; q=0.1, text/html; q=0.01", "jvh"},
        {"uv", SIMPLE "v1+json, " SIMPLE "v1+html;q=0.2, text/html;q=0.01", "jvh"},
        {"poetry", SIMPLE "v1+json, */*;q=0.1", "jhv"},
        {"bandersnatch", SIMPLE "v1+json", "j"},
        {"latest", SIMPLE "latest+json", "j"},
        {"latest html", SIMPLE "latest+html", "v"},
        {"any case", "APPLICATION/Vnd.PyPI.Simple.V1+JSON;Q=1", "j"},
        {"pip 1.x", "*/*", "hjv"},
        {"browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "hjv"},
        {"empty", "  ", "hjv"},
        {"html only", "text/html", "h"},
        {"with a parameter", "text/html; charset=utf-8; q=0.5", "h"},
        {"equal weights", "text/html, " SIMPLE "v1+json", "jh"},
        {"html preferred", "text/html, " SIMPLE "v1+json;q=0.9", "hj"},
        {"one excluded", "*/*, " SIMPLE "v1+json;q=0", "hv"},
        {"html excluded", "text/html;q=0, */*;q=0.5", "jv"},
        {"nothing wanted", "*/*;q=0", ""},
        {"type wildcard", "text/*", "h"},
        {"application wildcard", "application/*", "jv"},
        {"latest weaker than v1", SIMPLE "latest+json;q=0.1, text/html;q=0.5, " SIMPLE "v1+json",
         "jh"},
        {"unknown", "application/xml", ""},
        {"a later version", SIMPLE "v2+json", ""},
        {"a broken weight", "text/html;q=high, " SIMPLE "v1+json;q=0.1", "j"},
        {"a weight above one", "text/html;q=1.9", "h"},
        {"weights too long", "text/html;q=0.1234", ""},
        {"garbage", ",,;;q=,=,*", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.client, row.accept);
        CHECK(letters(acceptable(row.accept, "")) == row.expected);
    }
    CHECK(letters(acceptable(std::nullopt, "")) == "hjv");
}

TEST_CASE("the format parameter wins over the Accept header") {
    struct Row {
        const char* query;
        const char* expected;
    };
    const Row rows[] = {
        {"format=" SIMPLE "v1+json", "j"},
        {"format=application%2fvnd.pypi.simple.latest%2Bjson", "j"},
        {"a=b&format=" SIMPLE "v1+html&c", "v"},
        {"format=text/html", "h"},
        {"format=text/html&format=" SIMPLE "v1+json", "h"},
        {"format=application/xml", ""},
        {"format=", ""},
        {"format=%zz", ""},
        {"xformat=text/html", "j"},
        {"formats=text/html", "j"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.query);
        CHECK(letters(acceptable(SIMPLE "v1+json", row.query)) == row.expected);
    }
}

TEST_CASE("content types are exactly what clients compare with") {
    CHECK(content_type(Representation::json) == "application/vnd.pypi.simple.v1+json");
    CHECK(content_type(Representation::v1_html) == "application/vnd.pypi.simple.v1+html");
    CHECK(content_type(Representation::html) == "text/html; charset=utf-8");
}
