#include "pep381d/model/project_page.h"

#include "support/catch.h"

using namespace pep381d;

namespace {

std::string usual_members(const File& file) {
    std::string text;
    append_usual_members(text, file);
    return text;
}

std::string format_upload_time(std::int64_t time) {
    std::string text;
    append_upload_time(text, time);
    return text;
}

}  // namespace

TEST_CASE("an upload time is read and written as PyPI does") {
    struct Row {
        std::string text;
        std::int64_t time;
    };
    const auto row = GENERATE(values<Row>({
        {"1970-01-01T00:00:00Z", 0},
        {"2023-04-04T12:26:47.798446Z", 1'680'611'207'798'446},
        {"2023-04-04T12:26:47.000001Z", 1'680'611'207'000'001},
        {"2023-04-04T12:26:47Z", 1'680'611'207'000'000},
        {"2000-02-29T23:59:59Z", 951'868'799'000'000},
        {"1969-12-31T23:59:59.500000Z", -500'000},
        {"0001-01-01T00:00:00Z", -62'135'596'800'000'000},
    }));
    CHECK(parse_upload_time(row.text) == row.time);
    CHECK(format_upload_time(row.time) == row.text);
}

TEST_CASE("an upload time may have a shorter fraction") {
    CHECK(parse_upload_time("1970-01-01T00:00:01.5Z") == 1'500'000);
    CHECK(parse_upload_time("1970-01-01T00:00:01.05Z") == 1'050'000);
    CHECK(parse_upload_time("1970-01-01T00:00:01.000Z") == 1'000'000);
}

TEST_CASE("what is no upload time gives nothing") {
    const std::string text = GENERATE(
        "", "Z", "2023-04-04", "2023-04-04T12:26:47", "2023-04-04T12:26:47+00:00",
        "2023-04-04 12:26:47Z", "2023-04-04T12:26Z", "2023-4-4T12:26:47Z", "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z", "2023-04-04T24:00:00Z",
        "2023-04-04T12:60:00Z", "2023-04-04T12:26:61Z", "2023-04-04T12:26:47.Z",
        "2023-04-04T12:26:47.1234567Z", "2023-04-04T12:26:47.-12345Z", "2023-04-04T12:26:47.-0Z",
        "2023-04-04T12:26:47,5Z", "-000-01-01T00:00:00Z", "2023-04-04T-0:26:47Z",
        "2023-04-04T12:26:47.5ZZ", "2023-04-04T12:26:4xZ");
    INFO(text);
    CHECK_FALSE(parse_upload_time(text));
}

TEST_CASE("a JSON string escapes what JSON demands and nothing else") {
    struct Row {
        std::string text, json;
    };
    const auto row = GENERATE(values<Row>({
        {"", R"("")"},
        {"plain", R"("plain")"},
        {"\"\\/", R"("\"\\/")"},
        {"\n\r\t", R"("\n\r\t")"},
        {std::string("\0\x01\x1f\x7f", 4), "\"\\u0000\\u0001\\u001f\x7f\""},
        {"<a href='&'>\u00fc\u2603", "\"<a href='&'>\u00fc\u2603\""},
    }));
    CHECK(json_string(row.text) == row.json);
}

TEST_CASE("the usual members of a file are spelt as PyPI spells them") {
    File file{
        .name = *FileName::parse("abertpy-0.0.1-py3-none-any.whl"),
        .digests = {{Algorithm::sha256,
                     *from_hex(
                         "6ad7088119c5d395963039e65990eb848503d6a9e34f8c85e124981467e09935")}},
        .size = 120,
        .requires_python = "<4,>=3.7",
        .upload_time = parse_upload_time("2023-04-04T12:26:47.798446Z")};
    CHECK(
        usual_members(file) ==
        R"("hashes":{"sha256":"6ad7088119c5d395963039e65990eb848503d6a9e34f8c85e124981467e09935"},)"
        R"("provenance":null,"requires-python":"<4,>=3.7","size":120,)"
        R"("upload-time":"2023-04-04T12:26:47.798446Z","yanked":false)");

    file.provenance = "https://pypi.org/integrity/x";
    file.yanked = true;
    CHECK_THAT(usual_members(file),
               ContainsSubstring(R"("provenance":"https://pypi.org/integrity/x",)"));
    CHECK_THAT(usual_members(file), ContainsSubstring(R"("yanked":true)"));
    file.yanked_reason = "broken \"metadata\"";
    CHECK_THAT(usual_members(file), ContainsSubstring(R"("yanked":"broken \"metadata\"")"));
}

TEST_CASE("what a file lacks is told as PyPI tells it") {
    CHECK(usual_members(File{.name = *FileName::parse("a.zip")}) ==
          R"("hashes":{},"provenance":null,"requires-python":null,"yanked":false)");
}

TEST_CASE("names that repeat are found") {
    std::vector<File> files;
    CHECK_FALSE(names_may_repeat(files));
    for (int i = 0; i < 100; ++i)
        files.push_back(File{.name = *FileName::parse("a-" + std::to_string(i))});
    CHECK_FALSE(names_may_repeat(files));
    files.push_back(files[50]);
    CHECK(names_may_repeat(files));
}
