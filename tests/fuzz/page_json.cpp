// Pages of a master: what it said survives (design 2.10), what is made of it reads back as it was,
// no link leads out of packages/, and nothing of it is markup.
#include "pep381d/master/page_json.h"

#include <algorithm>
#include <map>

#include <pugixml.hpp>
#include <simdjson.h>

#include "pep381d/model/file_path.h"
#include "pep381d/pages/project_page.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/serve/words.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;
using simdjson::dom::element;

namespace {

const std::string base = "https://pypi.example/simple/foo/";
using Members = std::map<std::string, element, std::less<>>;

// Of members of the same name the last one, as clients take it.
Members members_of(const element& object) {
    Members members;
    for (const auto field : simdjson::dom::object(object))
        members.insert_or_assign(std::string(std::string_view(field.key)), field.value);
    return members;
}

bool same(const element& a, const element& b) {
    if (a.type() != b.type()) return false;
    if (a.is_array()) {
        const simdjson::dom::array x(a), y(b);
        if (x.size() != y.size()) return false;
        auto other = y.begin();
        for (const element one : x)
            if (!same(one, *other))
                return false;
            else
                ++other;
        return true;
    }
    if (!a.is_object()) return simdjson::minify(a) == simdjson::minify(b);
    const Members x = members_of(a), y = members_of(b);
    if (x.size() != y.size()) return false;
    for (const auto& [key, value] : x)
        if (const auto other = y.find(key); other == y.end() || !same(value, other->second))
            return false;
    return true;
}

// What design 2.10 leaves out, and what would break a client in another form than the one that it
// has.
bool ours(std::string_view key) {
    for (const char* one :
         {"url", "core-metadata", "dist-info-metadata", "data-dist-info-metadata"})
        if (key == one) return true;
    return false;
}
bool put_right(std::string_view key) {
    for (const char* one : {"size", "requires-python", "yanked", "upload-time", "provenance"})
        if (key == one) return true;
    return false;
}

void check_members(const Members& before, const Members& after, bool file) {
    for (const auto& [key, value] : before) {
        if (file && ours(key)) continue;
        const auto found = after.find(key);
        if (found == after.end()) {
            require((file && put_right(key)) ||
                        (!file && key == "project-status" && !value.is_object()),
                    "every key survives", key);
            continue;
        }
        require(same(value, found->second) || (file && key == "yanked"), "a value survives", key);
    }
}

void check_survival(std::string_view json, const std::string& written) {
    simdjson::dom::parser parser, other;
    element before, after;
    // What simdjson does not read whole is left to the comparison of what was read.
    if (parser.parse(json.data(), json.size()).get(before) != simdjson::SUCCESS) return;
    require(other.parse(written).get(after) == simdjson::SUCCESS, "a page of ours is JSON");
    Members from = members_of(before), to = members_of(after);
    Members meta = from.contains("meta") ? members_of(from.at("meta")) : Members();
    meta.erase("_last-serial");
    check_members(meta, members_of(to.at("meta")), false);

    std::multimap<std::string, Members> entries;
    for (const element entry : simdjson::dom::array(from.at("files"))) {
        if (!entry.is_object()) continue;
        Members members = members_of(entry);
        const auto name = members.find("filename");
        if (name == members.end() || !name->second.is_string()) continue;
        const std::string text(std::string_view(name->second));
        entries.emplace(text, std::move(members));
    }
    for (const element entry : simdjson::dom::array(to.at("files"))) {
        const Members members = members_of(entry);
        const std::string name(std::string_view(members.at("filename")));
        require(entries.contains(name), "no file is invented");
        // Of several of one name the first that can be mirrored is taken.
        if (entries.count(name) == 1) check_members(entries.find(name)->second, members, true);
    }
    for (const char* key : {"meta", "files", "name"}) from.erase(key);
    check_members(from, to, false);
}

std::size_t count(const std::string& text, char c) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), c));
}

bool known_element(std::string_view name) {
    for (const char* one : {"html", "head", "meta", "title", "body", "h1", "a", "br"})
        if (name == one) return true;
    return false;
}

// Nothing stands in it but our own elements, and their attributes.
std::size_t check_elements(const pugi::xml_node& node) {
    std::size_t tags = 0;
    for (const pugi::xml_node child : node.children()) {
        if (child.type() != pugi::node_element) continue;
        const std::string_view name = child.name();
        require(known_element(name), "a page has no element of its own", name);
        for (const pugi::xml_attribute attribute : child.attributes()) {
            const std::string_view key = attribute.name();
            require(key.starts_with("data-") || key == "href" || key == "name" ||
                        key == "content" || key == "lang",
                    "a page has no attribute of its own", key);
        }
        tags += (name == "meta" || name == "br" ? 1 : 2) + check_elements(child);
    }
    return tags;
}

void check_html(const ProjectPage& page, bool held) {
    const std::string html = project_html(page);
    pugi::xml_document document;
    require(document.load_buffer(html.data(), html.size()).status == pugi::status_ok,
            "a page of ours is XML", html);
    const std::size_t tags = check_elements(document);
    require(count(html, '<') == tags + 2 && count(html, '>') == tags + 2,
            "nothing but our tags opens or closes", html);
    const auto links = document.select_nodes("/html/body/a");
    require(links.size() == page.files.size(), "a link a file");
    for (std::size_t i = 0; i < links.size(); ++i) {
        const std::string_view href = links[i].node().attribute("href").value();
        require(held ? href.starts_with("../../packages/")
                     : href.starts_with("https://") || href.starts_with("http://"),
                "a link leads to a file", href);
        require(!held || href.find("..", 6) == std::string_view::npos ||
                    page.files[i].path.find("..") != std::string::npos,
                "a link does not leave packages/", href);
        require(!held || percent_decoded(href.substr(6, href.find('#') - 6)) == page.files[i].path,
                "a link leads to its file", href);
        // pugixml makes one line end of two.
        if (page.files[i].name.text().find('\r') == std::string::npos)
            require(links[i].node().text().get() == page.files[i].name.text(),
                    "the text is the name");
    }
}

void check_again(const ProjectPage& page, const std::string& json, const std::string& from) {
    const auto again = read_page_json(json, from, page.name);
    require(again.ok(), "a page of ours can be read", again ? "" : again.failure().what);
    require(again.value().skipped.empty(), "none of its files is left out");
    require(again.value().page == page, "a page reads back as it was", json);
}

void check_held(ProjectPage page) {
    PagePlan plan = plan_page(std::move(page), nullptr, {});
    for (File& file : plan.page.files) {
        require(file.path.starts_with("packages/") && file.path.ends_with("/" + file.name.text()),
                "a file lies in packages/", file.path);
        file.held = true;
        file.metadata_held = file.core_metadata.offered;
    }
    check_html(plan.page, true);
    const auto again = read_page_json(project_json(plan.page), base, plan.page.name);
    require(again.ok(), "a page of ours can be read", again ? "" : again.failure().what);
    for (const File& file : again.value().page.files)
        require(file.url.starts_with("https://pypi.example/packages/"), "a link is ours", file.url);
}

}  // namespace

void fuzz_one(std::string_view input) {
    const auto foo = ProjectName::parse("foo");
    const auto read = read_page_json(input, base, *foo);
    if (!read) {
        require(read.failure().fault == Fault::corrupt, "a page that cannot be read is corrupt");
        require(!fuzz::has_control(read.failure().what), "a cause is one line",
                read.failure().what);
        return;
    }
    const ProjectPage& page = read.value().page;
    const std::string json = project_json(page);
    check_again(page, json, base);
    check_survival(input, json);
    check_html(page, false);
    check_held(page);
}
