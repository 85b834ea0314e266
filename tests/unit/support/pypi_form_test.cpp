// The sample master's answers against recorded forms of PyPI's, byte for byte.
#include <fstream>
#include <sstream>

#include <pugixml.hpp>
#include <simdjson.h>

#include "support/catch.h"
#include "support/sample/render.h"
#include "support/sample/xmlrpc.h"

namespace sample {
namespace {

const Bases bases{"http://127.0.0.1:8499", "http://127.0.0.1:8499"};

std::string golden(const std::string& name) {
    std::ifstream file{PEP381D_SOURCE_DIR "/tests/golden/pypi/" + name, std::ios::binary};
    INFO("tests/golden/pypi/" << name);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string version_in(const std::string& filename) {
    const auto dash = filename.ends_with(".whl") ? filename.find('-') : filename.rfind('-');
    const auto end =
        filename.ends_with(".whl") ? filename.find('-', dash + 1) : filename.rfind(".tar.gz");
    return filename.substr(dash + 1, end - dash - 1);
}

// 2023-04-04T12:26:47.798446Z
std::int64_t microseconds(const std::string& time) {
    std::tm parts{};
    const char* rest = strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    REQUIRE(rest != nullptr);
    return std::int64_t{timegm(&parts)} * 1'000'000 + (*rest == '.' ? std::stol(rest + 1) : 0);
}

std::string text_of(const simdjson::dom::element& value) {
    return std::string{std::string_view{value}};
}

File file_of(const simdjson::dom::element& entry, std::optional<std::string>& yanked) {
    Digests digests;
    const auto url = text_of(entry["url"]);
    digests.path = url.substr(bases.files.size());
    digests.sha256 = text_of(entry["hashes"]["sha256"]);
    digests.size = std::int64_t{entry["size"]};
    if (entry["core-metadata"].is_object())
        digests.metadata_sha256 = text_of(entry["core-metadata"]["sha256"]);
    if (entry["yanked"].is_string()) yanked = text_of(entry["yanked"]);
    File file;
    file.blob = Blob::known(text_of(entry["filename"]), digests);
    if (entry["requires-python"].is_string())
        file.requires_python = text_of(entry["requires-python"]);
    file.uploaded_us = microseconds(text_of(entry["upload-time"]));
    file.provenance = entry["provenance"].is_string();
    return file;
}

Project project_in(const std::string& json) {
    simdjson::dom::parser parser;
    const simdjson::dom::element page = parser.parse(json);
    Project project;
    project.name = text_of(page["name"]);
    project.serial = std::int64_t{page["meta"]["_last-serial"]};
    if (text_of(page["project-status"]["status"]) == "archived") project.status = Status::archived;
    // Backwards, so that it is the page's own order that is compared, not that of the model.
    std::vector<simdjson::dom::element> entries;
    for (const auto entry : page["files"].get_array()) entries.insert(entries.begin(), entry);
    for (const auto& entry : entries) {
        std::optional<std::string> yanked;
        auto file = file_of(entry, yanked);
        const auto version = version_in(file.blob->filename());
        if (project.release(version) == nullptr)
            project.releases.push_back({version, {}, yanked, false});
        project.release(version)->files.push_back(std::move(file));
    }
    return project;
}

std::string call(const std::string& method, const std::string& params = "") {
    return "<?xml version='1.0'?><methodCall><methodName>" + method + "</methodName><params>" +
           params + "</params></methodCall>";
}

std::string since(const std::string& value) {
    return call("changelog_since_serial", "<param><value>" + value + "</value></param>");
}

Index index_with_golden_journal() {
    Index index{1};
    pugi::xml_document document;
    REQUIRE(document.load_string(golden("xmlrpc.changelog_since_serial.xml").c_str()));
    const auto rows =
        document.select_nodes("/methodResponse/params/param/value/array/data/value/array/data");
    REQUIRE(rows.size() > 100);
    for (const auto& found : rows) {
        std::vector<pugi::xml_node> columns;
        for (const auto& value : found.node().children("value"))
            columns.push_back(value.first_child());
        REQUIRE(columns.size() == 5);
        JournalRow row;
        row.name = columns[0].child_value();
        if (std::string{columns[1].name()} != "nil") row.version = columns[1].child_value();
        row.time = std::stol(columns[2].child_value());
        row.action = columns[3].child_value();
        row.serial = std::stol(columns[4].child_value());
        index.record_row(row);
    }
    return index;
}

}  // namespace

TEST_CASE("the sample master's project pages are PyPI's, byte for byte") {
    for (const std::string name :
         {"abertpy", "aiogramic", "alpaqa-debug", "boldo-cli", "sleepy-nmr"}) {
        INFO(name);
        const auto json = golden("simple." + name + ".json");
        const auto project = project_in(json);
        CHECK(project_json(project, bases) == json);
        CHECK(project_html(project, bases) == golden("simple." + name + ".html"));
    }
}

TEST_CASE("the sample master's root index is PyPI's, byte for byte") {
    const auto json = golden("simple.index.json");
    simdjson::dom::parser parser;
    const simdjson::dom::element page = parser.parse(json);
    Index index{1};
    for (const auto entry : page["projects"].get_array())
        index.add_project(text_of(entry["name"])).serial = std::int64_t{entry["_last-serial"]};
    CHECK(root_json(index.list(false, false), std::int64_t{page["meta"]["_last-serial"]}) == json);
    CHECK(root_html(index.list(false, false)) == golden("simple.index.html"));
}

TEST_CASE("the sample master's XML-RPC answers are PyPI's, byte for byte") {
    const auto index = index_with_golden_journal();
    CHECK(xmlrpc_answer(index, since("<int>2700</int>"), false) ==
          golden("xmlrpc.changelog_since_serial.xml"));
    CHECK(xmlrpc_answer(index, call("changelog_last_serial"), false) ==
          golden("xmlrpc.changelog_last_serial.xml"));
    CHECK(xmlrpc_answer(index, call("list_packages"), false) == golden("xmlrpc.fault.xml"));

    Index listed{1};
    const auto list = golden("xmlrpc.list_packages_with_serial.xml");
    pugi::xml_document document;
    REQUIRE(document.load_string(list.c_str()));
    for (const auto& found : document.select_nodes("//member"))
        listed.add_project(found.node().child_value("name")).serial =
            std::stol(found.node().child("value").child_value("int"));
    CHECK(xmlrpc_answer(listed, call("list_packages_with_serial"), false) == list);
}

TEST_CASE("the changelog takes an integer and nothing else, as PyPI's does") {
    const auto index = index_with_golden_journal();
    for (const std::string good : {"<int>3504</int>", "<i4>3504</i4>"})
        CHECK_THAT(xmlrpc_answer(index, since(good), false), ContainsSubstring("<int>3505</int>"));
    for (const std::string bad :
         {"<string>3504</string>", "3504", "<boolean>1</boolean>", "<int>x</int>",
          "<double>3504</double>", "<int>99999999999</int>"}) {
        INFO(bad);
        CHECK_THAT(xmlrpc_answer(index, since(bad), false), ContainsSubstring("<int>-32602</int>"));
    }
    CHECK_THAT(xmlrpc_answer(index, call("changelog_since_serial"), false),
               ContainsSubstring("-32602"));
    CHECK_THAT(xmlrpc_answer(index, call("no_such_method"), false), ContainsSubstring("-32601"));
    CHECK_THAT(xmlrpc_answer(index, "<methodCall>", false), ContainsSubstring("-32700"));
}

TEST_CASE("the changelog ends after 50,000 rows, and the next call goes on") {
    Index index{1};
    for (std::int64_t n = 1; n <= 50'003; ++n) index.record_row({"p", {}, n, "create", 2 * n});
    const auto rows = [&](std::int64_t after) {
        const auto text =
            xmlrpc_answer(index, since("<int>" + std::to_string(after) + "</int>"), false);
        std::size_t count = 0;
        for (auto at = text.find("<nil/>"); at != std::string::npos;
             at = text.find("<nil/>", at + 1))
            ++count;
        return count;
    };
    CHECK(rows(0) == 50'000);
    CHECK(rows(100'000) == 3);
    CHECK(rows(100'003) == 2);
    CHECK(rows(100'006) == 0);
}

}  // namespace sample
