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
