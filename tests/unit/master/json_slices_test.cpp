#include "pep381d/master/json_slices.h"

#include <string>
#include <vector>

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("a JSON container is cut into the texts of its parts") {
    struct Row {
        std::string json;
        std::vector<std::string> texts;
        std::vector<std::string> values;
    };
    const std::vector<Row> table{
        {"{}", {}, {}},
        {"[]", {}, {}},
        {R"({"a":1})", {R"("a":1)"}, {"1"}},
        {R"({"a":1,"b":-2.50e3})", {R"("a":1)", R"("b":-2.50e3)"}, {"1", "-2.50e3"}},
        {R"({"a}\",:":"x\\"})", {R"("a}\",:":"x\\")"}, {R"("x\\")"}},
        {R"({"a":{"b":[1,{"c":"]}"}]},"d":[]})",
         {R"("a":{"b":[1,{"c":"]}"}]})", R"("d":[])"},
         {R"({"b":[1,{"c":"]}"}]})", "[]"}},
        {R"([{"a":[1,2]},null,"x,y",[[]]])",
         {R"({"a":[1,2]})", "null", R"("x,y")", "[[]]"},
         {R"({"a":[1,2]})", "null", R"("x,y")", "[[]]"}},
    };
    for (const Row& row : table) {
        INFO(row.json);
        std::vector<std::string> texts, values;
        for (JsonSlices slices(row.json); slices.next();) {
            texts.emplace_back(slices.text());
            values.emplace_back(slices.value());
        }
        CHECK(texts == row.texts);
        CHECK(values == row.values);
    }
}

TEST_CASE("blanks between the tokens are overlooked and told") {
    const std::string json = " \n{ \"a b\" : [ 1 , { } ] ,\t\"c\":null\r} x";
    JsonSlices slices(std::string_view(json).substr(2));
    REQUIRE(slices.next());
    CHECK(slices.key() == R"("a b")");
    CHECK(slices.value() == "[ 1 , { } ]");
    CHECK(slices.text() == R"("a b" : [ 1 , { } ])");
    REQUIRE(slices.next());
    CHECK(slices.text() == R"("c":null)");
    CHECK_FALSE(slices.next());
    CHECK(slices.size() == json.size() - 4);
    CHECK(slices.spaced());
    CHECK_FALSE(slices.next());

    JsonSlices compact(R"({"a b":[1,"c d"]})");
    while (compact.next()) {
    }
    CHECK_FALSE(compact.spaced());
}

TEST_CASE("a value whose end is known need not be looked through") {
    JsonSlices slices(R"([{"a":1},2])");
    REQUIRE(slices.next());
    CHECK(slices.rest() == R"({"a":1},2])");
    slices.value_has(7);
    REQUIRE(slices.next());
    CHECK(slices.value() == "2");
    CHECK_FALSE(slices.next());
    CHECK(slices.size() == 11);
}

TEST_CASE("what is no JSON has no size, and its slices lie within it") {
    for (const std::string json :
         {"",        "{",        "[",         "{\"",       "{\"a",        "{\"a\"",
          "{\"a\":", "{\"a\":1", "{\"a\" 1}", "{a:1}",     "{\"a\":1,",   "{\"a\":1,}",
          "[1 2]",   "[1",       "[1,",       "[\"",       "[\"\\\"]",    "[[]",
          "[{]",     "{]",       "[}",        "{\"a\":[}", "[\"a\"\"b\"]"}) {
        INFO(json);
        JsonSlices slices(json);
        while (slices.next()) {
            CHECK(slices.text().data() >= json.data());
            CHECK(slices.text().data() + slices.text().size() <= json.data() + json.size());
            CHECK(slices.value().data() + slices.value().size() <= json.data() + json.size());
        }
        CHECK(slices.size() == 0);
    }
}
