#include "pep381d/pages/root_index.h"

#include <vector>

#include <pugixml.hpp>

#include "support/catch.h"

using namespace pep381d;

namespace {

const std::vector<RootEntry> entries{{"bgc-viewer", "Bgc_Viewer", Serial{1867}},
                                     {"foo", "foo", Serial{9}}};

std::string html(const std::vector<RootEntry>& projects) {
    std::string out;
    begin_root_html(out);
    for (const RootEntry& entry : projects) add_root_html(out, entry);
    end_root_html(out, Serial{3505});
    return out;
}

std::string json(const std::vector<RootEntry>& projects) {
    std::string out;
    begin_root_json(out, Serial{3505});
    for (std::size_t i = 0; i < projects.size(); ++i) add_root_json(out, projects[i], i == 0);
    end_root_json(out);
    return out;
}

}  // namespace

TEST_CASE("the root index in HTML links normalized names and shows the projects' own") {
    CHECK(html(entries) ==
          "<!DOCTYPE html>\n<html lang=\"en\">\n"
          "<head><meta name=\"pypi:repository-version\" content=\"1.4\"/><title>Simple "
          "index</title></head>\n"
          "<body>\n"
          "<a href=\"bgc-viewer/\">Bgc_Viewer</a>\n"
          "<a href=\"foo/\">foo</a>\n"
          "</body>\n</html>\n<!--SERIAL 3505-->\n");
}

TEST_CASE("the root index in HTML is well-formed XML, whatever projects call themselves") {
    for (const auto& projects :
         {std::vector<RootEntry>{}, entries, {{"a", "<a> & \"b\"", Serial{1}}}}) {
        const std::string text = html(projects);
        pugi::xml_document document;
        REQUIRE(document.load_buffer(text.data(), text.size()));
        const auto links = document.select_nodes("/html/body/a");
        REQUIRE(links.size() == projects.size());
        for (std::size_t i = 0; i < links.size(); ++i)
            CHECK(links[i].node().text().get() == projects[i].display);
    }
}

TEST_CASE("the root index in JSON has its serial first, and one in every project") {
    CHECK(json(entries) ==
          R"({"meta":{"_last-serial":3505,"api-version":"1.4"},"projects":[)"
          R"({"_last-serial":1867,"name":"Bgc_Viewer"},{"_last-serial":9,"name":"foo"}]})"
          "\n");
    CHECK(json({}) ==
          "{\"meta\":{\"_last-serial\":3505,\"api-version\":\"1.4\"},\"projects\":[]}\n");
    CHECK_THAT(json({{"a", "a\"\\", Serial{1}}}), ContainsSubstring(R"("name":"a\"\\")"));
}
