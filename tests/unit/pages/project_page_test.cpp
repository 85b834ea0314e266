#include "pep381d/pages/project_page.h"

#include <vector>

#include <pugixml.hpp>

#include "pep381d/master/page_json.h"
#include "pep381d/model/file_path.h"

#include "support/catch.h"
#include "support/golden.h"

using namespace pep381d;

namespace {

const std::string base = "https://pypi.example/simple/foo/";

ProjectName project(const std::string& name) {
    return ProjectName::parse(name).value();
}

ProjectPage empty_page(const std::string& name) {
    return {project(name), {}, {}, {}, {}, {}};
}

File plain_file(const std::string& name) {
    File file{
        FileName::parse(name).value(), {}, {}, {}, {}, {}, false, {}, {}, {}, {}, {}, false, false};
    file.url = "https://files.example/packages/" + name;
    file.path = "packages/" + name;
    return file;
}

ProjectPage page_with(File file) {
    ProjectPage page = empty_page("foo");
    page.files.push_back(std::move(file));
    return page;
}

// The fixture as it is published when all files and their metadata are here.
ProjectPage held_page(const std::string& name) {
    auto outcome = read_page_json(golden("pypi/simple." + name + ".json"), base, project(name));
    REQUIRE(outcome.ok());
    ProjectPage page = std::move(outcome).value().page;
    for (File& file : page.files) {
        file.path = file_path(file).value();
        file.held = true;
        file.metadata_held = file.core_metadata.offered;
    }
    return page;
}

bool well_formed(const std::string& html) {
    // pugixml reads neither doctype nor entities strictly; what it refuses, no XML parser takes.
    return pugi::xml_document().load_buffer(html.data(), html.size()).status == pugi::status_ok;
}

std::string attribute(const std::string& html, const char* name) {
    pugi::xml_document document;
    REQUIRE(document.load_buffer(html.data(), html.size()));
    return document.select_node("//a").node().attribute(name).as_string("(none)");
}

}  // namespace

TEST_CASE("the pages of PyPI's samples come out as expected") {
    for (const std::string name : {"abertpy", "alpaqa-debug", "boldo-cli", "sleepy-nmr"}) {
        INFO(name);
        const ProjectPage page = held_page(name);
        CHECK(project_html(page) == golden("pages/" + name + ".html"));
        CHECK(project_json(page) == golden("pages/" + name + ".json"));
    }
}

TEST_CASE("an HTML page begins with its doctype, ends with its serial and is well-formed XML") {
    for (const std::string name : {"abertpy", "alpaqa-debug", "boldo-cli", "sleepy-nmr"}) {
        INFO(name);
        const ProjectPage page = held_page(name);
        const std::string html = project_html(page);
        CHECK(html.starts_with("<!DOCTYPE html>\n"));
        CHECK(html.ends_with("</html>\n<!--SERIAL " + std::to_string(page.serial.value) + "-->\n"));
        pugi::xml_document document;
        REQUIRE(document.load_buffer(html.data(), html.size()));
        CHECK(document.child("html").child("head").child("title").text().get() ==
              "Links for " + name);
        const auto links = document.select_nodes("/html/body/a");
        REQUIRE(links.size() == page.files.size());
        for (std::size_t i = 0; i < links.size(); ++i)
            CHECK(links[i].node().text().get() == page.files[i].name.text());
    }
}

TEST_CASE("a page in JSON reads back as it was") {
    for (const std::string name : {"abertpy", "alpaqa-debug", "boldo-cli", "sleepy-nmr"}) {
        INFO(name);
        ProjectPage page = held_page(name);
        auto again = read_page_json(project_json(page),
                                    "https://mirror.example/simple/" + name + "/", project(name));
        REQUIRE(again.ok());
        CHECK(again.value().skipped.empty());
        for (File& file : page.files) {
            file.url = "https://mirror.example/" + file.path;
            file.path.clear();
            file.held = file.metadata_held = false;
        }
        CHECK(again.value().page == page);
    }
}

TEST_CASE("members that nobody here knows survive") {
    const auto page = read_page_json(
        R"({"meta":{"api-version":"1.9","_last-serial":3,"x":[1.0]},"name":"Foo","y":null,)"
        R"("files":[{"filename":"foo-1.whl","url":"foo-1.whl","hashes":{"blake3":"00","md5":"d41d8cd98f00b204e9800998ecf8427e"},"z":{"a":-0.0}}]})",
        base, project("foo"));
    REQUIRE(page.ok());
    CHECK(
        project_json(page.value().page) ==
        R"({"meta":{"_last-serial":3,"api-version":"1.9","x":[1.0]},"name":"foo","y":null,)"
        R"("files":[{"core-metadata":false,"filename":"foo-1.whl","hashes":{"blake3":"00","md5":"d41d8cd98f00b204e9800998ecf8427e"},"z":{"a":-0.0},)"
        R"("url":"https://pypi.example/simple/foo/foo-1.whl"}]})"
        "\n");
}

TEST_CASE("a page without any text of the master is still valid") {
    ProjectPage page = page_with(plain_file("foo-1.whl"));
    page.files.push_back(plain_file("foo-2.whl"));
    CHECK(
        project_json(page) ==
        R"({"meta":{"_last-serial":0,"api-version":"1.0"},"name":"foo","files":[)"
        R"({"core-metadata":false,"filename":"foo-1.whl","hashes":{},"provenance":null,"requires-python":null,"yanked":false,"url":"https://files.example/packages/foo-1.whl"},)"
        R"({"core-metadata":false,"filename":"foo-2.whl","hashes":{},"provenance":null,"requires-python":null,"yanked":false,"url":"https://files.example/packages/foo-2.whl"}]})"
        "\n");
    CHECK(
        project_json(empty_page("foo")) ==
        "{\"meta\":{\"_last-serial\":0,\"api-version\":\"1.0\"},\"name\":\"foo\",\"files\":[]}\n");
}

TEST_CASE("a file that is held is linked in our tree, another at the master") {
    File file = plain_file("foo-1.0+b \xc3\xa9.whl");
    file.url = "https://files.example/x?a=1&b=<2>";
    CHECK(attribute(project_html(page_with(file)), "href") == file.url);
    CHECK_THAT(project_json(page_with(file)),
               ContainsSubstring(R"("url":"https://files.example/x?a=1&b=<2>")"));
    file.held = true;
    const std::string link = "../../packages/foo-1.0+b%20%C3%A9.whl";
    CHECK(attribute(project_html(page_with(file)), "href") == link);
    CHECK_THAT(project_json(page_with(file)), ContainsSubstring("\"url\":\"" + link + "\""));
}

TEST_CASE("the fragment is SHA-256 where there is one, and none that uv stumbles over") {
    const auto digest = [](Algorithm algorithm) {
        return Digest{algorithm, std::string(digest_size(algorithm), '\x1f')};
    };
    struct Row {
        std::vector<Algorithm> offered;
        std::string fragment;
    };
    const std::vector<Row> table{
        {{}, ""},
        {{Algorithm::sha1}, ""},
        {{Algorithm::sha224, Algorithm::sha1}, ""},
        {{Algorithm::md5}, "#md5="},
        {{Algorithm::sha224, Algorithm::md5}, "#md5="},
        {{Algorithm::sha512, Algorithm::sha384}, "#sha512="},
        {{Algorithm::sha384, Algorithm::md5}, "#sha384="},
        {{Algorithm::sha512, Algorithm::sha256, Algorithm::md5}, "#sha256="},
    };
    for (const Row& row : table) {
        File file = plain_file("foo.whl");
        for (const Algorithm algorithm : row.offered) file.digests.push_back(digest(algorithm));
        const std::string href = attribute(project_html(page_with(file)), "href");
        INFO(href);
        CHECK(href.substr(file.url.size()).substr(0, row.fragment.size()) == row.fragment);
        if (row.fragment.empty()) CHECK(href == file.url);
    }
}

TEST_CASE("attributes are there when they say something, and always with a value") {
    File file = plain_file("foo.whl");
    file.requires_python = "";
    std::string html = project_html(page_with(file));
    for (const char* name : {"data-requires-python", "data-yanked", "data-core-metadata",
                             "data-dist-info-metadata", "data-provenance"})
        CHECK(attribute(html, name) == "(none)");
    file.requires_python = ">=3.9,<4";
    file.yanked = true;
    file.provenance = "http://pypi.example/provenance";
    html = project_html(page_with(file));
    CHECK_THAT(html,
               ContainsSubstring(
                   R"( data-requires-python="&gt;=3.9,&lt;4" data-yanked="">foo.whl</a><br/>)"));
    file.yanked_reason = "no\n\"good\" \x01 & \xef\xbf\xbf\xef\xbb\xbf\xc3\xa9";
    file.provenance = "https://pypi.example/provenance";
    html = project_html(page_with(file));
    CHECK(attribute(html, "data-yanked") == "no\n\"good\"  & \xef\xbb\xbf\xc3\xa9");
    CHECK(attribute(html, "data-provenance") == "https://pypi.example/provenance");
}

TEST_CASE("core metadata is offered where it can be had") {
    struct Row {
        CoreMetadata master;
        bool held, metadata_held;
        std::string html, json;
    };
    const std::string hex = "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f";
    const CoreMetadata none, plain{true, {}}, digested{true, std::string(32, '\x1f')};
    const std::vector<Row> table{
        {none, false, false, "(none)", "false"},
        {none, true, true, "(none)", "false"},
        {plain, false, false, "true", "true"},
        {plain, true, false, "(none)", "false"},
        {plain, true, true, "true", "true"},
        {digested, false, false, "sha256=" + hex, R"({"sha256":")" + hex + "\"}"},
        {digested, true, false, "(none)", "false"},
        {digested, true, true, "sha256=" + hex, R"({"sha256":")" + hex + "\"}"},
    };
    for (const Row& row : table) {
        File file = plain_file("foo.whl");
        file.core_metadata = row.master;
        file.held = row.held;
        file.metadata_held = row.metadata_held;
        INFO(row.json);
        CHECK(attribute(project_html(page_with(file)), "data-core-metadata") == row.html);
        CHECK(attribute(project_html(page_with(file)), "data-dist-info-metadata") == row.html);
        CHECK_THAT(project_json(page_with(file)),
                   ContainsSubstring(R"("core-metadata":)" + row.json + ","));
    }
}

TEST_CASE("the status and its reason stand in the head, escaped") {
    ProjectPage page = empty_page("foo");
    CHECK(project_html(page).find("pypi:project-status") == std::string::npos);
    page.status = {"archived", "see \"bar\" & <baz>"};
    CHECK_THAT(
        project_html(page),
        ContainsSubstring(
            R"(<meta name="pypi:project-status" content="archived"/>)"
            R"(<meta name="pypi:project-status-reason" content="see &quot;bar&quot; &amp; &lt;baz&gt;"/>)"
            "<title>Links for foo</title></head>"));
}

TEST_CASE("whatever a broken page of the master holds, what is made of it can be read") {
    const std::string good = golden("pypi/simple.aiogramic.json");
    const std::string replacements = std::string("\0\"\\{}[],:0e- \n\xff", 15);
    std::vector<std::string> mutations;
    for (std::size_t i = 0; i < good.size(); ++i) {
        mutations.push_back(good.substr(0, i));
        mutations.push_back(good.substr(0, i) + good.substr(i + 1));
        for (const char c : replacements) {
            std::string changed = good;
            changed[i] = c;
            mutations.push_back(std::move(changed));
        }
    }
    std::size_t read = 0;
    for (const std::string& json : mutations) {
        const auto outcome = read_page_json(json, base, project("aiogramic"));
        if (!outcome) {
            REQUIRE(outcome.failure().fault == Fault::corrupt);
            continue;
        }
        ++read;
        const ProjectPage& page = outcome.value().page;
        const auto again = read_page_json(project_json(page), base, project("aiogramic"));
        INFO(json);
        REQUIRE(again.ok());
        REQUIRE(again.value().page == page);
        REQUIRE(again.value().skipped.empty());
        REQUIRE(well_formed(project_html(page)));
    }
    CHECK(read > mutations.size() / 4);
    CHECK(read < mutations.size());
}
