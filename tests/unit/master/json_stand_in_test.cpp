#include "master/json_stand_in.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("what simdjson does not take has a stand-in of its length") {
    const std::pair<const char*, const char*> rows[] = {
        {R"([18446744073709551616,7])", R"([0e000000000000000000,7])"},
        {R"({"a":-99999999999999999999})", R"({"a":0e0000000000000000000})"},
        {R"([1e999,-1E+9,0.5])", R"([0e000,0e000,0e0])"},
        {R"("\ud800")", R"("\u0000")"},
        {R"("\udc00\ud800x")", R"("\u0000\u0000x")"},
        {R"("\ud800\ud83d\ude00")", R"("\u0000\ud83d\ude00")"},
        {R"("\\\uD800\\")", R"("\\\u0000\\")"},
    };
    for (const auto& [json, other] : rows) {
        INFO(json);
        CHECK(with_stand_ins(json) == std::string(other));
    }
}

TEST_CASE("what is no number, or a good one, is left as it is") {
    for (const char* json :
         {"", "[1,-1,0,9223372036854775807]", R"("18446744073709551616")", R"("\\ud800")",
          R"("\ud83d\ude00")", "[00000000000000000000]", "[1.]", "[1e]", "[-]", "[--1]", "[1.2.3]",
          R"("\ud8)", R"("\u)", R"("\)", R"("\ud80g")", "\"", "[1e+]"}) {
        INFO(json);
        CHECK_FALSE(with_stand_ins(json));
    }
}
