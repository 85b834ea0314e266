// Foreign texts on the status page and the root index: they are text, in HTML and in JSON.
#include "pep381d/pages/shown_text.h"

#include <pugixml.hpp>
#include <simdjson.h>

#include "pep381d/base/text.h"
#include "pep381d/model/project_page.h"
#include "pep381d/pages/escape.h"
#include "pep381d/pages/root_index.h"
#include "pep381d/pages/status_page.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;
using simdjson::dom::element;

namespace {

bool is_utf8(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

void check_shown(std::string_view text) {
    const std::string plain = shown(text);
    require(is_utf8(plain) && !fuzz::has_control(plain), "what is shown is text", plain);
    require(shown(plain) == plain, "what is text is shown as it is", plain);
    const std::string html = shown_html(text);
    require(html.find_first_of("<>\"") == std::string::npos, "text is no markup", html);
    simdjson::dom::parser parser;
    element value;
    require(parser.parse(json_string(plain)).get(value) == simdjson::SUCCESS, "it is JSON");
    require(std::string_view(value) == plain, "JSON gives the text back", plain);
}

void check_status(const std::vector<std::string>& texts) {
    Status status;
    status.master = texts[0];
    status.contact = texts[1];
    status.last_error = texts[2];
    status.failing = {{texts[3], texts[2], 1, {}}};
    status.skipped = {{texts[4], texts[3]}};
    const std::string html = status_html(status);
    pugi::xml_document document;
    const auto xml = html.substr(html.find("<html"));
    require(document.load_buffer(xml.data(), xml.size()).status == pugi::status_ok, "it is XML",
            xml);
    for (const auto& link : document.select_nodes("//a")) {
        const std::string_view href = link.node().attribute("href").value();
        require(href == "../simple/" || href == "status.json" || href.starts_with("http://") ||
                    href.starts_with("https://") || href.starts_with("mailto:"),
                "no link runs a script", href);
    }
    for (const char* name : {"//script", "//img", "//iframe", "//form", "//link", "//svg"})
        require(document.select_nodes(name).empty(), "nothing runs or is loaded", name);
    require(document.select_nodes("//table").size() == 3, "a text ends no table");
    simdjson::dom::parser parser;
    element top;
    const std::string json = status_json(status);
    require(parser.parse(json).get(top) == simdjson::SUCCESS, "it is JSON", json);
    require(std::string_view(top["failing"].at(0)["name"]) == shown(texts[3]), "a name is told");
    require(std::string_view(top["skipped"].at(0)["cause"]) == shown(texts[3]), "a cause is told");
}

// The names that it shows are legal ones, but it need not know that.
void check_root(const std::string& display) {
    if (!is_utf8(display)) return;
    std::string html, json;
    begin_root_html(html);
    add_root_html(html, {"foo", display, Serial{1}});
    end_root_html(html, Serial{1});
    pugi::xml_document document;
    require(document.load_buffer(html.data(), html.size()).status == pugi::status_ok, "it is XML",
            html);
    require(document.select_nodes("//a").size() == 1, "a link a project");
    begin_root_json(json, Serial{1});
    add_root_json(json, {"foo", display, Serial{1}}, true);
    end_root_json(json);
    simdjson::dom::parser parser;
    element top;
    require(parser.parse(json).get(top) == simdjson::SUCCESS, "it is JSON", json);
    require(std::string_view(top["projects"].at(0)["name"]) == display, "a name is told");
}

}  // namespace

void fuzz_one(std::string_view input) {
    auto texts = fuzz::lines_of(input);
    texts.resize(5);
    check_status(texts);
    for (const std::string& text : texts) check_root(text);
    check_shown(input);
}
