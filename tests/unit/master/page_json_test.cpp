#include "pep381d/master/page_json.h"

#include <algorithm>
#include <vector>

#include "support/catch.h"
#include "support/golden.h"

using namespace pep381d;

namespace {

const std::string base = "https://pypi.example/simple/foo/";
const std::string hex_a(64, 'a');
const std::string usual_start = R"("filename":"foo-1.tar.gz","url":"../../packages/foo-1.tar.gz")";

ProjectName project(const std::string& name) {
    return ProjectName::parse(name).value();
}

std::string page_of(const std::string& files,
                    const std::string& rest = R"(,"meta":{"api-version":"1.4"})") {
    return R"({"files":[)" + files + R"(],"name":"foo")" + rest + "}";
}

ReadPage read(const std::string& json) {
    Outcome<ReadPage> outcome = read_page_json(json, base, project("foo"));
    INFO((outcome.ok() ? "" : outcome.failure().what));
    REQUIRE(outcome.ok());
    return std::move(outcome).value();
}

// The one file of a page whose entry carries these members beside a name and a URL.
File read_file(const std::string& members) {
    const ReadPage page =
        read(page_of("{" + usual_start + (members.empty() ? "" : ",") + members + "}"));
    REQUIRE(page.page.files.size() == 1);
    return page.page.files.front();
}

}  // namespace

TEST_CASE("the members that PyPI writes today need not be stored") {
    const std::vector<std::pair<std::string, std::size_t>> pages{{"abertpy", 4},
                                                                 {"aiogramic", 2},
                                                                 {"alpaqa-debug", 10},
                                                                 {"boldo-cli", 7},
                                                                 {"sleepy-nmr", 0}};
    for (const auto& [name, count] : pages) {
        INFO(name);
        const auto outcome =
            read_page_json(golden("pypi/simple." + name + ".json"), base, project(name));
        REQUIRE(outcome.ok());
        const ProjectPage& page = outcome.value().page;
        CHECK(outcome.value().skipped.empty());
        CHECK(page.files.size() == count);
        CHECK(page.meta_members == R"("api-version":"1.4")");
        CHECK(page.members.starts_with(R"("project-status":{"status":")"));
        for (const File& file : page.files) CHECK(file.members.empty());
    }
}

TEST_CASE("every field of a page of PyPI is read") {
    const auto outcome =
        read_page_json(golden("pypi/simple.boldo-cli.json"), base, project("boldo-cli"));
    REQUIRE(outcome.ok());
    const ProjectPage& page = outcome.value().page;
    CHECK(page.name.text() == "boldo-cli");
    CHECK(page.serial == Serial{3351});
    CHECK(page.status == ProjectStatus{"archived", ""});
    CHECK(
        page.members ==
        R"("project-status":{"status":"archived"},"versions":["0.0.1rc1","0.0.1","0.0.2","0.0.3"])");
    const File& file = page.files.at(5);
    CHECK(file.name.text() == "boldo_cli-0.0.3-py3-none-any.whl");
    CHECK(file.url ==
          "http://127.0.0.1:8499/packages/85/7a/"
          "ad4506ff1441bfdcbbe31744f02595e4c46a40c01935dbaf6041972f87a0/"
          "boldo_cli-0.0.3-py3-none-any.whl");
    REQUIRE(file.digests.size() == 1);
    CHECK(file.digests[0].algorithm == Algorithm::sha256);
    CHECK(to_hex(file.digests[0].bytes) ==
          "56ff54ad5ce6068e817a3be0dbf8aa1cc134112720adc59c3f9db1bcacb1562f");
    CHECK(file.requires_python == ">=3");
    CHECK(file.yanked);
    CHECK(file.yanked_reason == R"(Broken <b>metadata</b> & "quotes" & 'apostrophes')");
    CHECK(file.core_metadata.offered);
    CHECK(to_hex(file.core_metadata.sha256) ==
          "962f90fa8474589ee24c424df0d60fbdeaf74bb18bf62e119a2832d2f5204292");
    CHECK(file.provenance ==
          "http://127.0.0.1:8499/integrity/boldo-cli/0.0.3/boldo_cli-0.0.3-py3-none-any.whl/"
          "provenance");
    CHECK(file.size.has_value());
    CHECK(file.upload_time.has_value());
    CHECK_FALSE(file.held);
    CHECK(file.path.empty());
}

TEST_CASE("members are repeated as they came, but for what would break a client") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"", R"("hashes":{})"},
        {R"("hashes":{})", R"("hashes":{})"},
        {R"("x":1,"hashes":{})", R"("x":1,"hashes":{})"},
        {R"("hashes":{"md5":"00000000000000000000000000000000","md5":"11111111111111111111111111111111"})",
         R"("hashes":{"md5":"11111111111111111111111111111111"})"},
        {R"("hashes":{},"size":5)", R"("hashes":{},"size":5)"},
        {R"("hashes":{},"size":null)", R"("hashes":{})"},
        {R"("hashes":{},"yanked":false)", R"("hashes":{},"yanked":false)"},
        {R"("hashes":{},"yanked":true)", R"("hashes":{},"yanked":true)"},
        {R"("hashes":{},"yanked":"why")", R"("hashes":{},"yanked":"why")"},
        {R"("hashes":{},"yanked":"")", R"("hashes":{},"yanked":true)"},
        {R"("hashes":{},"yanked":null)", R"("hashes":{})"},
        {R"("hashes":{},"yanked":7)", R"("hashes":{},"yanked":true)"},
        {R"("hashes":{},"upload-time":null)", R"("hashes":{})"},
        {R"("hashes":{},"upload-time":"")", R"("hashes":{})"},
        {R"("hashes":{},"upload-time":"yesterday")", R"("hashes":{})"},
        {R"("hashes":{},"upload-time":"2024-01-01T00:00:00Z")",
         R"("hashes":{},"upload-time":"2024-01-01T00:00:00Z")"},
        {R"("hashes":{},"requires-python":null)", R"("hashes":{},"requires-python":null)"},
        {R"("hashes":{},"requires-python":3)", R"("hashes":{})"},
        {R"("hashes":{},"provenance":null)", R"("hashes":{},"provenance":null)"},
        {R"("hashes":{},"provenance":"javascript:x")", R"("hashes":{})"},
        {R"("hashes":{},"core-metadata":true,"data-dist-info-metadata":true,"dist-info-metadata":true)",
         R"("hashes":{})"},
        {R"("hashes":{},"new":{"a":[1,2.50,-0.0,1e5]},"gpg-sig":true)",
         R"("hashes":{},"new":{"a":[1,2.50,-0.0,1e5]},"gpg-sig":true)"},
        {R"("hashes" : { } , "new" : [ 1 , "a  b\u00e9\/\"" ] )",
         R"("hashes":{},"new":[1,"a  b\u00e9\/\""])"},
        {R"("new":1,"hashes":{},"new":2)", R"("hashes":{},"new":2)"},
        {R"("hashes":{},"ur\u006c":"../../packages/foo-1.tar.gz")", R"("hashes":{})"},
    };
    for (const auto& [in, out] : table) {
        INFO(in);
        const File file = read_file(in);
        std::string members = file.members;
        if (members.empty()) append_usual_members(members, file);
        CHECK(members == out);
    }
}

TEST_CASE("digests are those that can be checked, the strongest first") {
    const File file =
        read_file(R"("hashes":{"md5":")" + std::string(32, 'b') + R"(","blake2b_256":")" + hex_a +
                  R"(","sha256":")" + hex_a + R"(","SHA384":""})");
    REQUIRE(file.digests.size() == 2);
    CHECK(file.digests[0].algorithm == Algorithm::sha256);
    CHECK(file.digests[0].bytes == std::string(32, '\xaa'));
    CHECK(file.digests[1].algorithm == Algorithm::md5);
}

TEST_CASE("a file whose hashes cannot be checked is skipped, one that has none is not") {
    const auto cause = [](const std::string& hashes) {
        const ReadPage page = read(page_of("{" + usual_start + R"(,"hashes":)" + hashes + "}"));
        return page.skipped.empty() ? std::string() : page.skipped[0].cause;
    };
    CHECK(cause("{}").empty());
    CHECK_THAT(cause(R"({"sha256":"abcd"})"), ContainsSubstring("length"));
    CHECK_THAT(cause(R"({"sha256":"zz"})"), ContainsSubstring("length"));
    CHECK_THAT(cause(R"({"blake2b":"abcd"})"), ContainsSubstring("none of its hashes"));
}

TEST_CASE("values of members are read where they have the right type") {
    CHECK(read_file("").size == std::nullopt);
    CHECK(read_file(R"("size":0)").size == 0);
    CHECK(read_file(R"("size":9223372036854775807)").size == 9223372036854775807);
    CHECK(read_file(R"("size":1,"size":2)").size == 2);
    CHECK(read_file(R"("requires-python":"")").requires_python == "");
    CHECK(read_file(R"("requires-python":[])").requires_python == std::nullopt);
    CHECK_FALSE(read_file(R"("yanked":null)").yanked);
    CHECK_FALSE(read_file(R"("yanked":false)").yanked);
    CHECK(read_file(R"("yanked":true)").yanked);
    CHECK(read_file(R"("yanked":"")").yanked);
    CHECK(read_file(R"("yanked":{})").yanked);
    CHECK(read_file(R"("yanked":"a\u00e9")").yanked_reason == "a\xc3\xa9");
    CHECK(read_file(R"("upload-time":"1970-01-01T00:00:01.5Z")").upload_time == 1'500'000);
    CHECK(read_file(R"("provenance":"/x")").provenance == std::nullopt);
}

TEST_CASE("core metadata is what PEP 714 makes of the three names") {
    const std::string with_digest = R"({"sha256":")" + hex_a + "\"}";
    const CoreMetadata none, offered{true, {}}, digested{true, std::string(32, '\xaa')};
    const std::vector<std::pair<std::string, CoreMetadata>> table{
        {"", none},
        {R"("core-metadata":false)", none},
        {R"("core-metadata":null)", none},
        {R"("core-metadata":"true")", none},
        {R"("core-metadata":true)", offered},
        {R"("core-metadata":{})", none},
        {R"("core-metadata":{"sha256":"aa"})", none},
        {R"("core-metadata":{"sha256":5})", none},
        {R"("core-metadata":)" + with_digest, digested},
        {R"("dist-info-metadata":)" + with_digest, digested},
        {R"("data-dist-info-metadata":)" + with_digest, digested},
        {R"("core-metadata":false,"data-dist-info-metadata":true)", none},
        {R"("core-metadata":null,"dist-info-metadata":true)", offered},
        {R"("dist-info-metadata":false,"core-metadata":)" + with_digest, digested},
    };
    for (const auto& [members, expected] : table) {
        INFO(members);
        CHECK(read_file(members).core_metadata == expected);
    }
}

TEST_CASE("an entry that cannot be mirrored is left out and named, and the others stay") {
    const std::string good = R"({"filename":"good.whl","url":"good.whl","hashes":{}})";
    struct Row {
        std::string entry, name, cause;
    };
    const std::vector<Row> table{
        {"5", "", "no object"},
        {"[]", "", "no object"},
        {"{}", "", "file name"},
        {R"({"filename":7,"url":"a"})", "", "file name"},
        {R"({"filename":"","url":"a"})", "", "file name"},
        {R"({"filename":"../../etc/passwd","url":"a"})", "../../etc/passwd", "file name"},
        {R"({"filename":"a\u0000b","url":"a"})", std::string("a\0b", 3), "file name"},
        {R"({"filename":"a.whl"})", "a.whl", "no URL"},
        {R"({"filename":"a.whl","url":null})", "a.whl", "no URL"},
        {R"({"filename":"a.whl","url":"ftp://x/a.whl"})", "a.whl", "not http or https"},
        {R"({"filename":"a.whl","url":"https://u:p@x/a.whl"})", "a.whl", "user name"},
        {R"({"filename":"a.whl","url":"a.whl","size":-1})", "a.whl", "size"},
        {R"({"filename":"a.whl","url":"a.whl","size":1.5})", "a.whl", "size"},
        {R"({"filename":"a.whl","url":"a.whl","size":"1"})", "a.whl", "size"},
        {R"({"filename":"a.whl","url":"a.whl","size":18446744073709551615})", "a.whl", "size"},
        {R"({"filename":"a.whl","url":"a.whl","hashes":[]})", "a.whl", "hashes"},
        {R"({"filename":"a.whl","url":"a.whl","hashes":null})", "a.whl", "hashes"},
        {R"({"filename":"a.whl","url":"a.whl","hashes":{"sha256":null}})", "a.whl", "hash"},
        {good, "good.whl", "twice"},
    };
    for (const Row& row : table) {
        INFO(row.entry);
        const ReadPage page = read(page_of(good + "," + row.entry));
        CHECK(page.page.files.size() == 1);
        REQUIRE(page.skipped.size() == 1);
        CHECK(page.skipped[0].name == row.name);
        CHECK_THAT(page.skipped[0].cause, ContainsSubstring(row.cause));
    }
}

TEST_CASE("what is no such page is corrupt, and the failure says where and why") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"", ""},
        {"<!DOCTYPE html><html></html>", "HTML"},
        {"[]", "no object"},
        {"null", "no object"},
        {R"({"name":"foo","meta":{}})", "no list of files"},
        {R"({"name":"foo","files":{}})", "no list of files"},
        {R"({"files":[]})", "not of foo"},
        {R"({"files":[],"name":7})", "not of foo"},
        {R"({"files":[],"name":"bar"})", "the page of bar, not of foo"},
        {R"({"files":[],"name":"foo","name":"bar"})", "the page of bar"},
        {R"({"files":[],"name":"foo","meta":[]})", "meta"},
        {R"({"files":[],"name":"foo","meta":{"api-version":"2.0"}})", "api-version"},
        {R"({"files":[],"name":"foo","meta":{"api-version":"10.1"}})", "api-version"},
        {R"({"files":[],"name":"foo","meta":{"api-version":1.4}})", "api-version"},
        {R"({"files":[],"name":"foo")", ""},
        {R"({"files":[],"name":"foo"}})", ""},
        {R"({"files":[],"name":"foo","a":1 2})", ""},
        {R"({"files":[],"name":"foo","a":01})", ""},
        {R"({"files":[],"name":"foo","a":nul})", ""},
        {R"({"files":[],"name":"foo","a":"\x"})", ""},
        {"{\"files\":[],\"name\":\"foo\",\"a\":\"\xff\"}", ""},
        {"{\"files\":[],\"name\":\"foo\",\"a\":" + std::string(100'000, '['), ""},
        {R"({"name":"foo","files":[)", ""},
        {R"({"name":"foo","files":[{)", ""},
        {R"({"name":"foo","files":[{}})", ""},
        {R"({"name":"foo","files":[{},]})", ""},
        {R"({"name":"foo","files":[,{}]})", ""},
        {R"({"name":"foo","files":[{} {}]})", ""},
        {R"({"name":"foo","files":[{}])", ""},
        {R"({"name":"foo","files":[{}]]})", ""},
        {R"({"name":"foo","files":[{}] 5})", ""},
        {R"({"name":"foo","files":[1 2]})", ""},
        {R"({"name":"foo","files":["x]})", ""},
        {R"({"name":"foo","files":[{"a":01}]})", ""},
        {R"({"name":"foo","files":[{"a":1,}]})", ""},
        {R"({"name":"foo","files":[{"a" 1}]})", ""},
        {R"({"name":"foo","files":[{"a":[}]})", ""},
        {R"({"name":"foo","files":[{"a":1]]})", ""},
        {"{\"name\":\"foo\",\"files\":[{\"a\":\"\xff\"}]}", ""},
        {R"({"name":"foo","files":[{"a":01}],"files":[]})", ""},
        {R"({"name":"foo","files":[{}],"files":{}})", "no list of files"},
        {R"({"name":"foo","files":[{"a":)" + std::string(1022, '[') + std::string(1022, ']') +
             "}]}",
         ""},
        {"{\"files\":[],\"name\":\"foo\",\"a\":" + std::string(2'000, '[') +
             std::string(2'000, ']') + "}",
         ""},
    };
    for (const auto& [json, cause] : table) {
        INFO(json.substr(0, 100));
        const auto outcome =
            read_page_json(json, "https://user:secret@pypi.example/simple/foo/", project("foo"));
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == Fault::corrupt);
        CHECK_THAT(outcome.failure().what, ContainsSubstring("https://pypi.example/simple/foo/"));
        CHECK_THAT(outcome.failure().what, ContainsSubstring(cause));
    }
}

TEST_CASE("the page's own members are read and repeated") {
    const ReadPage page = read(page_of(
        "",
        R"(, "meta":{"_last-serial":12, "tracks":[] ,"api-version":"1.9"},"versions":[ "1" ],"new":{"x":1},)"
        R"("project-status":{"status":"active","status":"quarantined","reason":"bad"})"));
    CHECK(page.page.serial == Serial{12});
    CHECK(page.page.meta_members == R"("tracks":[],"api-version":"1.9")");
    CHECK(
        page.page.members ==
        R"("versions":["1"],"new":{"x":1},"project-status":{"status":"quarantined","reason":"bad"})");
    CHECK(page.page.status == ProjectStatus{"quarantined", "bad"});
    CHECK(page.page.quarantined());
}

TEST_CASE("a serial is an integer, perhaps in quotes, or unknown") {
    const std::vector<std::pair<std::string, std::int64_t>> table{
        {"5", 5},    {R"("5")", 5}, {R"("5x")", 0}, {R"("")", 0}, {"-5", 0},
        {"null", 0}, {"1.5", 0},    {"[]", 0},      {"true", 0}};
    for (const auto& [text, serial] : table) {
        INFO(text);
        CHECK(read(page_of("", R"(,"meta":{"_last-serial":)" + text + "}")).page.serial.value ==
              serial);
    }
    CHECK(read(page_of("", "")).page.serial.value == 0);
}

TEST_CASE("an api-version is there even where the master named none") {
    CHECK(read(page_of("", "")).page.meta_members == R"("api-version":"1.0")");
    CHECK(read(page_of("", R"(,"meta":{"x":1})")).page.meta_members ==
          R"("api-version":"1.0","x":1)");
}

TEST_CASE("a byte order mark before the page is overlooked") {
    CHECK(read("\xef\xbb\xbf" + page_of("", R"(,"x":[1, 2])")).page.members == R"("x":[1,2])");
}

TEST_CASE("a status that is no object is not repeated") {
    for (const char* status : {"null", R"("archived")", "[]"}) {
        INFO(status);
        const ReadPage page = read(page_of("", std::string(R"(,"project-status":)") + status));
        CHECK(page.page.members.empty());
        CHECK(page.page.status == ProjectStatus{});
    }
}

TEST_CASE("a page larger than the kept buffers is read like any other") {
    std::string files;
    for (int i = 0; i < 20'000; ++i)
        files += R"({"filename":"foo-)" + std::to_string(i) +
                 R"(.whl","url":"x","hashes":{},"size":7},)";
    files.pop_back();
    const ReadPage page = read(page_of(files));
    REQUIRE(page.page.files.size() == 20'000);
    CHECK(page.page.files.back().name.text() == "foo-19999.whl");
    CHECK(page.page.files.back().members == R"("hashes":{},"size":7)");
}

TEST_CASE("as deep as simdjson goes, an entry may go") {
    const std::string deep = std::string(1021, '[') + std::string(1021, ']');
    CHECK(read_file(R"("hashes":{},"x":)" + deep).members == R"("hashes":{},"x":)" + deep);
}

TEST_CASE("of several lists of files the last one counts") {
    const auto names = [](const std::string& json) {
        std::string text;
        for (const File& file : read(json).page.files) text += file.name.text() + " ";
        return text;
    };
    const std::string a = R"([{"filename":"a","url":"a"},{"filename":"x/","url":"a"}])";
    const std::string b = R"([{"filename":"b","url":"b"}])";
    CHECK(names(R"({"name":"foo","files":)" + a + R"(,"files":)" + b + "}") == "b ");
    CHECK(read(R"({"name":"foo","files":)" + a + R"(,"files":)" + b + "}").skipped.empty());
    CHECK(names(R"({"files":5,"name":"foo","f\u0069les":)" + b + "}") == "b ");
    CHECK(names(R"({"files":)" + b + R"(,"name":"foo","x":{"files":)" + a + "}}") == "b ");
    CHECK(names(R"({"files":)" + b + R"(,"name":"foo","x":[{"files":)" + a + "}]}") == "b ");
    CHECK(names(" { \"files\" : [ ] , \"name\" : \"foo\" } \n").empty());
}

TEST_CASE("blanks change nothing, wherever they stand") {
    const std::string entry = R"({"filename":"a b.whl","url":"a%20b.whl","hashes":{"md5":")" +
                              std::string(32, '0') + R"("},"new":[1,{"a":"x  y"}],"size":7})";
    const std::string json = page_of(entry + "," + entry);
    std::string spaced;
    bool quoted = false;
    for (const char c : json) {
        if (c == '"') quoted = !quoted;
        const bool token = !quoted && std::string_view("{}[]:,\"").find(c) != std::string::npos;
        spaced += token ? std::string(" \n") + c + "\t\r" : std::string(1, c);
        if (token && c == '"') spaced.erase(spaced.size() - 5, 2);
    }
    const ReadPage plain = read(json), wide = read(spaced);
    CHECK(plain.page == wide.page);
    REQUIRE(wide.skipped.size() == 1);
    CHECK(wide.skipped[0].cause == "the page names the file twice");
}

TEST_CASE("of many members of the same name the last one counts too") {
    std::string members = R"("hashes":{})";
    for (int i = 0; i < 30; ++i)
        members += R"(,"x)" + std::to_string(i % 15) + R"(":)" + std::to_string(i);
    const File file = read_file(members);
    CHECK_THAT(file.members, ContainsSubstring(R"("hashes":{},"x0":15,"x1":16,)"));
    CHECK(std::count(file.members.begin(), file.members.end(), ',') == 15);
}

TEST_CASE("the page names the file twice, whatever stands between") {
    std::string files;
    for (const char* name : {"a", "b", "a/", "a", "c", "b"})
        files +=
            std::string(files.empty() ? "" : ",") + R"({"filename":")" + name + R"(","url":"x"})";
    const ReadPage page = read(page_of(files));
    CHECK(page.page.files.size() == 3);
    REQUIRE(page.skipped.size() == 3);
    CHECK(page.skipped[0].name == "a/");
    CHECK(page.skipped[1].name == "a");
    CHECK(page.skipped[2].name == "b");
}

TEST_CASE("of a page with millions of useless entries a hundred are told, and the rest counted") {
    std::string files = R"({"filename":"foo-1.whl","url":"x","hashes":{}})";
    for (int i = 0; i < 100'000; ++i) files += ",{}";
    files += R"(,{"filename":")" + std::string(100'000, 'x') + R"(","url":"x"})";
    const ReadPage page = read(page_of(files));
    CHECK(page.page.files.size() == 1);
    REQUIRE(page.skipped.size() == 101);
    CHECK(page.skipped.back().cause == "99901 more entries cannot be mirrored");
}

TEST_CASE("the name of a file that is left out is told in part where it is long") {
    const ReadPage page =
        read(page_of(R"({"filename":")" + std::string(100'000, 'x') + R"(","url":"x"})"));
    REQUIRE(page.skipped.size() == 1);
    CHECK(page.skipped[0].name == std::string(1000, 'x'));
}

TEST_CASE("a page that would take much more memory than its bytes is refused") {
    std::string many;
    for (int i = 0; i < 250'001; ++i) {
        if (i > 0) many += ',';
        many += R"({"filename":"a)" + std::to_string(i) + R"(","url":"x"})";
    }
    std::string members = R"({"filename":"a","url":"x","y":{)";
    for (int i = 0; i < 300'000; ++i) members += R"("":1,)";
    members += R"("":1}})";
    const std::string numbers = "[1" + std::string(9 << 20, ' ') + ",1]";
    const std::pair<std::string, std::string> rows[] = {
        {page_of(many), "more than 250,000 files"},
        {page_of(members), "more than 1 MiB"},
        {page_of("[" + members + "]"), "more than 1 MiB"},
        {page_of("", R"(,"y":)" + numbers), "more than 8 MiB around its files"},
    };
    for (const auto& [json, cause] : rows) {
        INFO(cause);
        const auto outcome = read_page_json(json, base, project("foo"));
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().fault == Fault::corrupt);
        CHECK_THAT(outcome.failure().what, ContainsSubstring(cause));
    }
}

TEST_CASE("numbers of any size and halves of surrogate pairs survive") {
    const std::string huge = R"("x":[123456789012345678901234567890,1e999,"\ud800"])";
    const ReadPage page = read(page_of("{" + usual_start + R"(,"hashes":{},"size":7,)" + huge + "}",
                                       R"(,"meta":{"api-version":"1.4",)" + huge + "}, " + huge));
    CHECK(page.page.meta_members == R"("api-version":"1.4",)" + huge);
    CHECK(page.page.members == huge);
    REQUIRE(page.page.files.size() == 1);
    CHECK(page.page.files[0].size == 7);
    CHECK(page.page.files[0].members == R"("hashes":{},"size":7,)" + huge);
}

TEST_CASE("a name or URL with half of a surrogate pair is not legal, a size of 70 bits is none") {
    for (const std::string entry : {
             R"({"filename":"a\ud800.zip","url":"x","hashes":{}})",
             R"({"filename":"a.zip","url":"x\udc00","hashes":{}})",
             R"({"filename":"a.zip","url":"x","hashes":{},"size":1180591620717411303424})",
         }) {
        INFO(entry);
        const ReadPage page = read(page_of("{" + usual_start + R"(,"hashes":{}},)" + entry));
        CHECK(page.page.files.size() == 1);
        CHECK(page.skipped.size() == 1);
    }
}
