#include "pep381d/master/name_list.h"

#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/golden.h"

using namespace pep381d;

namespace {

const std::string root = "https://pypi.example/simple/";
using Entries = std::vector<std::pair<std::string, std::int64_t>>;

struct Read {
    Entries entries;
    Outcome<Serial> told;
};

Read read(ListForm form, const std::string& text, std::size_t pieces = 1000) {
    Entries entries;
    NameList list(form, root, [&](std::string_view name, Serial serial) {
        entries.emplace_back(name, serial.value);
    });
    for (std::size_t at = 0; at < text.size(); at += pieces)
        if (Done fed = list.feed(std::string_view(text).substr(at, pieces)); !fed)
            return {entries, std::move(fed).failure()};
    auto told = list.finish();
    return {entries, std::move(told)};
}

Entries entries_of(ListForm form, const std::string& text) {
    Read result = read(form, text);
    INFO((result.told.ok() ? "" : result.told.failure().what));
    REQUIRE(result.told.ok());
    return result.entries;
}

std::string refusal(ListForm form, const std::string& text) {
    const Read result = read(form, text);
    REQUIRE(!result.told.ok());
    CHECK(result.told.failure().fault == Fault::corrupt);
    return result.told.failure().what;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string html(const std::string& body, const std::string& head = "") {
    return "<!DOCTYPE html><html><head>" + head + "</head><body>\n" + body + "</body></html>";
}

}  // namespace

TEST_CASE("PyPI's root index is read in both formats, however it is cut") {
    const std::string json = golden("pypi/simple.index.json"),
                      page = golden("pypi/simple.index.html");
    const Read whole = read(ListForm::root_json, json, json.size());
    REQUIRE(whole.told.ok());
    CHECK(whole.told.value().value > 0);
    REQUIRE(!whole.entries.empty());
    for (const auto& [name, serial] : whole.entries) CHECK(serial > 0);
    for (const std::size_t pieces : {std::size_t{1}, std::size_t{13}}) {
        CHECK(read(ListForm::root_json, json, pieces).entries == whole.entries);
        const Read other = read(ListForm::root_html, page, pieces);
        REQUIRE(other.told.ok());
        CHECK(other.told.value() == Serial{});
        REQUIRE(other.entries.size() == whole.entries.size());
        for (std::size_t i = 0; i < whole.entries.size(); ++i)
            CHECK(other.entries[i].first == whole.entries[i].first);
    }
}

TEST_CASE("a root index in JSON may have anything else in it, anywhere") {
    const Read result = read(ListForm::root_json,
                             " {\"x\" : [ {\"projects\":[{\"name\":\"no\"}]} ], \"projects\" : [ "
                             "{\"name\" : \"a\\\"]}\" ,"
                             "\"y\":{\"z\":[1,\"}\"]}}\n,\t{\"_last-serial\":7,\"name\":\"b\"} ] "
                             ",\"meta\":{\"api-version\":"
                             "\"1.9\",\"_last-serial\":9}}\n");
    INFO((result.told.ok() ? "" : result.told.failure().what));
    REQUIRE(result.told.ok());
    CHECK(result.told.value() == Serial{9});
    CHECK(result.entries == Entries{{"a\"]}", 0}, {"b", 7}});
    CHECK(read(ListForm::root_json, R"({"projects":[]})").told.ok());
}

TEST_CASE("what is no root index in JSON is refused, and so is a part of one") {
    const std::string whole =
        R"({"meta":{"api-version":"1.0"},"projects":[{"name":"a"},{"name":"b"}]})";
    REQUIRE(read(ListForm::root_json, whole).told.ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        CHECK(!read(ListForm::root_json, whole.substr(0, size)).told.ok());
    }
    for (const char* text :
         {"[]", "{}", "<html></html>", R"({"projects":{}})", R"({"projects":[1]})",
          R"({"projects":[{}]})", R"({"projects":[{"name":"a"}{"name":"b"}]})",
          R"({"projects":[{"name":"a"},]})", R"({"projects":[,{"name":"a"}]})",
          R"({"projects":[{"name":"a"}],"projects":[{"name":"b"}]})",
          R"({"projects":[{"name":"a"}]}})", R"({"projects":[{"name":"a"}]} x)",
          R"({"projects":[{"name":"a"}],"meta":{"api-version":"2.0"}})",
          R"({"projects":[{"name":"a" "b"}]})"}) {
        INFO(text);
        CHECK(has(refusal(ListForm::root_json, text), "the root index cannot be read"));
    }
    const std::string deep(100'000, '[');
    CHECK(has(refusal(ListForm::root_json, "{\"x\":" + deep), "too deep"));
    CHECK(
        has(refusal(ListForm::root_json, "{\"projects\":[{\"name\":\"" + std::string(100'000, 'x')),
            "16 KiB"));
}

TEST_CASE("of a root index in HTML those links count that lead just below it") {
    const auto names = [](const std::string& body, const std::string& head = "") {
        std::vector<std::string> found;
        for (const auto& [name, serial] : entries_of(ListForm::root_html, html(body, head)))
            found.push_back(name);
        return found;
    };
    using Names = std::vector<std::string>;
    CHECK(names("<a href='foo-bar/'>Foo.Bar</a>") == Names{"Foo.Bar"});
    CHECK(names("<a href=\"Foo_Bar\">Foo_Bar</a>") == Names{"Foo_Bar"});
    CHECK(names("<a href='/simple/foo/'>foo</a>") == Names{"foo"});
    CHECK(names("<a href='https://pypi.example/simple/foo/'>foo</a>") == Names{"foo"});
    CHECK(names("<a href='./foo/'>foo</a><a href='../simple/bar'>bar</a>") == Names{"foo", "bar"});
    // A text that is another name is no name of this one.
    CHECK(names("<a href='a-very-long-name/'>a-very-lo..&gt;</a>") == Names{"a-very-long-name"});
    CHECK(names("<a href='foo/'>bar</a>") == Names{"foo"});
    for (const char* link :
         {"../", "/", "/about/", "/simple/", "foo/bar/", "https://other.example/simple/foo/",
          "mailto:x@pypi.example", "?C=N;O=D", "#top", "./", "../foo/", "//other.example/foo/"}) {
        INFO(link);
        CHECK(names(std::string("<a href='") + link + "'>x</a>").empty());
    }
    CHECK(names("<a href='foo/'>foo</a>", "<base href='/simple/'>") == Names{"foo"});
    CHECK(names("<a href='foo/'>foo</a>", "<base href='https://other.example/simple/'>").empty());
    CHECK(names("<a href='/simple/foo/'>foo</a>", "<base href='https://other.example/simple/'>")
              .empty());
}

// A root index is cut into pieces, wherever that may be.
TEST_CASE("a root index in HTML of any length is read to its end") {
    for (const char* quote : {"\"", "'", ""}) {
        std::string links;
        Entries expected;
        for (int i = 0; i < 5000; ++i) {
            const std::string name =
                "name-" + std::string(static_cast<std::size_t>(i % 50), 'x') + std::to_string(i);
            links +=
                "<a href=" + (quote + ("/simple/" + name + "/")) + quote + ">" + name + "</a>\n";
            expected.emplace_back(name, 0);
        }
        INFO(quote);
        CHECK(entries_of(ListForm::root_html, html(links)) == expected);
    }
}

TEST_CASE("the links of a root index in HTML do not repeat the password of its URL") {
    for (const char* link :
         {"foo/", "./foo/", "/simple/foo/", "https://pypi.example/simple/foo/"}) {
        INFO(link);
        Entries entries;
        NameList list(ListForm::root_html, "https://me:secret@pypi.example/simple/",
                      [&](std::string_view name, Serial serial) {
                          entries.emplace_back(name, serial.value);
                      });
        REQUIRE(list.feed(html(std::string("<a href='") + link + "'>foo</a>")).ok());
        REQUIRE(list.finish().ok());
        CHECK(entries == Entries{{"foo", 0}});
    }
}

TEST_CASE("what is no root index in HTML is refused, and so is a part of one") {
    const std::string whole = html("<a href='foo/'>foo</a><a href='bar/'>bar</a>");
    for (std::size_t size = 0; size < whole.find("</body>") + 7; ++size) {
        INFO(size);
        CHECK(has(refusal(ListForm::root_html, whole.substr(0, size)),
                  "the root index cannot be read"));
    }
    CHECK(has(refusal(ListForm::root_html,
                      html("", "<meta name='pypi:repository-version' content='2.0'>")),
              "PEP 629"));
    CHECK(has(refusal(ListForm::root_html, html("", "<base href='ftp://x/'>")), "<base href>"));
}

TEST_CASE("names come without serials from before 2013") {
    const std::string
        begin = "<?xml version='1.0'?><methodResponse><params><param><value><array><data>",
        end = "</data></array></value></param></params></methodResponse>";
    CHECK(entries_of(ListForm::names,
                     begin + "<value><string>Foo</string></value>\n<value>b.r</value>" + end) ==
          Entries{{"Foo", 0}, {"b.r", 0}});
    CHECK(entries_of(ListForm::names, begin + end).empty());
    CHECK(!read(ListForm::names, begin + "<value><string>Foo</string></value>").told.ok());
    CHECK(!read(ListForm::names, begin + "<value><int>1</int></value>" + end).told.ok());
}
