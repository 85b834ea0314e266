#include "pep381d/master/page_html.h"

#include <vector>

#include "pep381d/master/html_stream.h"
#include "pep381d/pages/project_page.h"

#include "support/catch.h"
#include "support/golden.h"
#include "support/sample_page.h"

using namespace pep381d;

namespace {

const std::string base = "https://pypi.example/simple/foo/";
const std::string hex_a(64, 'a');

ProjectName project(const std::string& name) {
    return ProjectName::parse(name).value();
}

std::string page_of(const std::string& body, const std::string& head = "") {
    return "<!DOCTYPE html>\n<html><head>" + head +
           "<title>Links for foo</title></head>\n<body><h1>Links for foo</h1>\n" + body +
           "</body>\n</html>\n";
}

ReadPage read(const std::string& html, const std::string& from = base) {
    Outcome<ReadPage> outcome = read_page_html(html, from, project("foo"));
    INFO((outcome.ok() ? "" : outcome.failure().what));
    REQUIRE(outcome.ok());
    return std::move(outcome).value();
}

File read_file(const std::string& anchor) {
    const ReadPage page = read(page_of(anchor));
    REQUIRE(page.skipped.empty());
    REQUIRE(page.page.files.size() == 1);
    return page.page.files.front();
}

std::string refusal(const std::string& html) {
    const auto outcome = read_page_html(html, base, project("foo"));
    REQUIRE(!outcome.ok());
    CHECK(outcome.failure().fault == Fault::corrupt);
    CHECK(outcome.failure().what.find(base) != std::string::npos);
    return outcome.failure().what;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("PyPI's page in HTML says what its page in JSON says, as far as HTML can") {
    for (const std::string name :
         {"abertpy", "aiogramic", "alpaqa-debug", "boldo-cli", "sleepy-nmr"}) {
        INFO(name);
        const std::string from = "https://pypi.org/simple/" + name + "/";
        const auto html =
            read_page_html(golden("pypi/simple." + name + ".html"), from, project(name));
        const auto json =
            read_page_json(golden("pypi/simple." + name + ".json"), from, project(name));
        REQUIRE(html.ok());
        REQUIRE(json.ok());
        CHECK(html.value().skipped.empty());
        const ProjectPage& ours = html.value().page;
        ProjectPage theirs = json.value().page;
        for (File& file : theirs.files) {
            file.size.reset();
            file.upload_time.reset();
        }
        CHECK(ours.files == theirs.files);
        CHECK(ours.status == theirs.status);
        const bool numbered =
            golden("pypi/simple." + name + ".html").find("SERIAL") != std::string::npos;
        CHECK((ours.serial.value > 0) == numbered);
        CHECK(ours.meta_members == R"("api-version":"1.0")");
    }
}

TEST_CASE("a page of ours in HTML reads back with all that it says") {
    ProjectPage page = sample::page(
        "foo", 12,
        {sample::wheel("foo-1.0-py3-none-any.whl"), sample::sdist("foo-1.0+l&b.tar.gz")});
    page.files[1].yanked = true;
    page.files[1].yanked_reason = "a <b> & \"c\" é";
    page.files[0].provenance = "https://pypi.example/integrity/foo?a=1&b=2";
    page.status = {"archived", "nobody & nothing"};
    for (File& file : page.files) {
        file.size.reset();
        file.upload_time.reset();
    }
    const ProjectPage again = read(project_html(page)).page;
    CHECK(again.files == page.files);
    CHECK(again.status == page.status);
    CHECK(again.serial == page.serial);
    CHECK(again.members == R"("project-status":{"status":"archived","reason":"nobody & nothing"})");
    // As JSON it says the same, and that is where a mirror of ours reads it.
    const auto json = read_page_json(project_json(again), base, project("foo"));
    REQUIRE(json.ok());
    CHECK(json.value().page == again);
}

TEST_CASE("a page of the PEP 381 era: md5, the old layout, other links beside") {
    const ReadPage page = read(
        "<html><head><title>Links for Foo</title></head><body><h1>Links for Foo</h1>"
        "<a "
        "href=\"../../packages/source/F/Foo/Foo-1.0.tar.gz#md5=0123456789abcdef0123456789abcdef\">"
        "Foo-1.0.tar.gz</a><br/>\n"
        "<a href=\"http://home.example/\" rel=\"homepage\">1.0 home_page</a><br/>\n"
        "<a href=\"http://home.example/Foo-1.0.tar.gz\" rel=\"download\">1.0 "
        "download_url</a><br/>\n"
        "<a href=\"http://home.example/about\">About</a><br/>\n"
        "</body></html>\n",
        "http://pypi.example/simple/Foo/");
    CHECK(page.skipped.empty());
    REQUIRE(page.page.files.size() == 1);
    const File& file = page.page.files[0];
    CHECK(file.name.text() == "Foo-1.0.tar.gz");
    CHECK(file.url == "http://pypi.example/packages/source/F/Foo/Foo-1.0.tar.gz");
    REQUIRE(file.digests.size() == 1);
    CHECK(file.digests[0].algorithm == Algorithm::md5);
    CHECK(to_hex(file.digests[0].bytes) == "0123456789abcdef0123456789abcdef");
    CHECK(file_path(file) == "packages/source/F/Foo/Foo-1.0.tar.gz");
}

TEST_CASE("the attributes of a link in HTML are read") {
    const std::string link = "<a href='../../packages/foo-1.tar.gz#sha256=" + hex_a + "' ";
    CHECK(read_file(link + ">x</a>").requires_python == std::nullopt);
    CHECK(read_file(link + "data-requires-python='&gt;=3.8,&lt;4'>x</a>").requires_python ==
          ">=3.8,<4");
    CHECK(read_file(link + "data-yanked>x</a>").yanked);
    CHECK(read_file(link + "data-yanked='bad'>x</a>").yanked_reason == "bad");
    CHECK(!read_file(link + ">x</a>").yanked);
    CHECK(read_file(link + "data-gpg-sig=true>x</a>").members.ends_with(R"(,"gpg-sig":true)"));
    CHECK(read_file(link + "data-dist-info-metadata=true>x</a>").core_metadata ==
          CoreMetadata{true, {}});
    CHECK(read_file(link + "data-core-metadata='sha256=" + hex_a +
                    "' data-dist-info-metadata=false>x</a>")
              .core_metadata.sha256.size() == 32);
    CHECK(!read_file(link + "data-core-metadata='sha256=12'>x</a>").core_metadata.offered);
    CHECK(read_file(link + "data-provenance='https://p.example/a?b=1&amp;c=2'>x</a>").provenance ==
          "https://p.example/a?b=1&c=2");
    CHECK(read_file("<A HREF=\"../../packages/foo%2B1.tar.gz\">x</A>").name.text() ==
          "foo+1.tar.gz");
    CHECK(read_file("<a href='../../packages/noname#sha256=" + hex_a + "'>x</a>").name.text() ==
          "noname");
}

TEST_CASE("a base says what links are relative to; the first one counts") {
    const std::string link = "<a href='packages/foo-1.tar.gz'>x</a>";
    const auto url = [&](const std::string& head) {
        return read(page_of(link, head)).page.files.at(0).url;
    };
    CHECK(url("") == "https://pypi.example/simple/foo/packages/foo-1.tar.gz");
    CHECK(url("<base href='/up/'>") == "https://pypi.example/up/packages/foo-1.tar.gz");
    CHECK(url("<base href='https://pypi.example/a/b'/><base href='/c/'>") ==
          "https://pypi.example/a/packages/foo-1.tar.gz");
    CHECK(has(refusal(page_of(link, "<base href='ftp://other.example/'>")), "<base href>"));
    CHECK(has(refusal(page_of(link, "<base href='https://user:secret@other.example/'>")),
              "user name"));
}

TEST_CASE("a file at another host is taken by its digest alone") {
    const std::string elsewhere = "<a href='https://files.example/packages/foo-1.tar.gz";
    CHECK(read(page_of(elsewhere + "#sha256=" + hex_a + "'>x</a>")).page.files.size() == 1);
    const ReadPage page = read(page_of(elsewhere + "'>x</a><a href='foo-2.tar.gz'>x</a>"));
    CHECK(page.page.files.size() == 1);
    REQUIRE(page.skipped.size() == 1);
    CHECK(page.skipped[0].name == "foo-1.tar.gz");
    CHECK(has(page.skipped[0].cause, "https://files.example, another host"));
    // A base changes where links lead, not who vouches for them.
    CHECK(read(page_of("<a href='foo-1.tar.gz'>x</a>", "<base href='https://files.example/'>"))
              .page.files.empty());
}

TEST_CASE("links that cannot be mirrored are skipped with their cause") {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"ftp://pypi.example/foo-1.tar.gz", "not http"},
        {"https://user@pypi.example/foo-1.tar.gz", "user name"},
        {"../../packages/foo-1.tar.gz#sha256=12", "has not its length"},
        {"../../packages/foo-1.tar.gz#blake9=" + hex_a, "none of its hashes"},
        {"../../packages/.foo-1.tar.gz", "not legal"},
        {"../../packages/a%2Fb.tar.gz", "not legal"}};
    for (const auto& [href, cause] : rows) {
        INFO(href);
        const ReadPage page = read(page_of("<a href=\"" + href + "\">x</a>"));
        CHECK(page.page.files.empty());
        REQUIRE(page.skipped.size() == 1);
        CHECK(has(page.skipped[0].cause, cause));
    }
    const std::string link = "<a href='../../packages/foo-1.tar.gz#sha256=" + hex_a + "'>x</a>";
    CHECK(read(page_of(link + link)).skipped.empty());
    const std::string other = "<a href='../../packages/b/foo-1.tar.gz'>x</a>";
    CHECK(has(read(page_of(link + other)).skipped.at(0).cause, "twice"));
}

TEST_CASE("HTML that was cut off anywhere is no page") {
    const std::string link =
        "<a href='../../packages/foo-1.tar.gz#sha256=" + hex_a + "'>foo-1.tar.gz</a>\n";
    const std::string whole =
        page_of(link + link, "<meta name='pypi:repository-version' content='1.0'>");
    REQUIRE(read_page_html(whole + "<!--SERIAL 5-->\n<!-- x -->\n", base, project("foo")).ok());
    for (std::size_t size = 0; size < whole.find("</body>") + 7; ++size) {
        INFO(size);
        CHECK(has(refusal(whole.substr(0, size)), "cut off"));
    }
}

TEST_CASE("a page whose end is inside of a tag or comment is no page") {
    const std::string link = "<a href='foo-1.tar.gz'>x</a>";
    CHECK(has(refusal(page_of("<a href='foo-1.tar.gz>x</a>")), "does not end"));
    CHECK(has(refusal(page_of("<!-- " + link)), "does not end"));
    // Wherever the parser's pieces end.
    for (std::size_t size = 3'700; size < 4'200; ++size) {
        const std::string text = "<p>" + std::string(size, 'x') + "</p>";
        CHECK(has(refusal(page_of(text + "<a href = \"foo-1.tar.gz>x</a>")), "does not end"));
        CHECK(read(page_of(text + link)).page.files.size() == 1);
    }
    // Broken as well, and yet the link is read.
    for (const char* broken : {"<p>a < b ", "<b>", "<i x='y' >", "<!-- > -->"})
        CHECK(read(page_of(broken + link)).page.files.size() == 1);
}

// Browsers read them all.
TEST_CASE("a page need not begin as it should") {
    const std::string link = "<a href='foo-1.tar.gz'>x</a>\n";
    const std::string links = link + "<br/><a href='foo-2.tar.gz'>x</a>\n";
    for (const char* before : {"\xEF\xBB\xBF", "&nbsp;", "Notice: x in y.php on line 1\n",
                               "<p>Hello</p>", "<!-- x -->\n", "\r\n\r\n"}) {
        INFO(before);
        CHECK(read(before + page_of(links)).page.files.size() == 2);
        CHECK(read(before + page_of(links) + "<!-- x -->\n").page.files.size() == 2);
    }
    const std::string title = "<title>Links for foo</title>", type = "<!DOCTYPE html>\n";
    for (const std::string& page : {
             type + title + links + "</html>",
             type + title + links + "</body>",
             type + "<head>" + title + "</head><body>" + links + "</body></html>",
             "<meta charset='utf-8'>" + title + "<body>" + links + "</body>",
             "<h1>Links for foo</h1>" + links + "</html>\n",
             type + "<html lang='en'><html class='x'>" + title + links + "</html>",
         }) {
        INFO(page);
        CHECK(read(page).page.files.size() == 2);
    }
}

TEST_CASE("a page with something behind its end is refused") {
    const std::string link = "<a href='foo-1.tar.gz'>x</a>\n", page = page_of(link);
    const std::string long_page = page_of(link + std::string(50'000, 'x'));
    for (const std::string& two :
         {page + page, page + link + "</html>", long_page + page, page + long_page,
          page + "<!-- x -->" + long_page, page + "</html>"}) {
        INFO(two.size());
        CHECK(has(refusal(two), "follows behind its end"));
    }
}

TEST_CASE("HTML of another kind is told from a page of an index") {
    CHECK(has(refusal("<html><body><h1>503 Service Unavailable</h1></body></html>"),
              "does not say that it is a page of an index"));
    CHECK(has(refusal("{\"files\":[]}"), "cut off, or it is no page"));
    CHECK(has(refusal(""), "cut off"));
    CHECK(has(refusal("<html><head><title>Links for bar</title></head><body></body></html>"),
              "the page of bar, not of foo"));
    CHECK(has(refusal(page_of("", "<meta name='pypi:repository-version' content='2.0'>")),
              "PEP 629"));
    CHECK(read(page_of("")).page.files.empty());
}

TEST_CASE("no page takes much memory or time, whatever stands in it") {
    std::string deep, many;
    for (int i = 0; i < 100'000; ++i) deep += "<div>";
    for (int i = 0; i < 100'000; ++i) deep += "</p>";
    CHECK(has(refusal(page_of(deep)), "hundreds of others"));
    std::string tag = "<a ";
    for (int i = 0; i < 100'000; ++i) tag += "x" + std::to_string(i) + " ";
    CHECK(has(refusal(page_of(tag + ">x</a>")), "more than 16 KiB"));
    CHECK(has(refusal(page_of("<!-- " + std::string(100'000, 'x') + " -->")), "more than 16 KiB"));
    CHECK(has(refusal(page_of(std::string(3'000'000, 'x'))), "more than 1 MiB"));
    // What is unusual, but no harm.
    CHECK(read(page_of("<p>" + std::string(900'000, 'x') + "</p>")).page.files.empty());
    CHECK(read(page_of("<b><i>unclosed <a href='foo-1.tar.gz'>a <a href='foo-2.tar.gz'>b"))
              .page.files.size() == 2);
}

TEST_CASE("what a page says does not depend on how it arrives") {
    const std::string html = golden("pypi/simple.abertpy.html");
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, html.size()}) {
        std::vector<std::string> hrefs;
        HtmlStream stream({[&](HtmlElement& anchor) { hrefs.push_back(*anchor.attribute("href")); },
                           {},
                           {},
                           {},
                           {}});
        for (std::size_t at = 0; at < html.size(); at += size)
            REQUIRE(stream.feed(std::string_view(html).substr(at, size)).ok());
        REQUIRE(stream.finish().ok());
        CHECK(hrefs.size() == 4);
    }
}

// A page is cut into pieces, wherever that may be.
TEST_CASE("a page of any length is read to its end") {
    const auto links = [](std::size_t from, std::size_t to, const std::string& attribute) {
        std::string all;
        for (std::size_t i = from; i < to; ++i)
            all += "<a " + attribute + " href=\"../../packages/" + std::string(i % 40, 'x') +
                   "/foo-" + std::to_string(i) + ".tar.gz#sha256=" + std::string(64, 'a') +
                   "\">foo</a><br/>\n";
        return all;
    };
    for (const char* attribute :
         {"", "data-requires-python='>=3.8'", "data-requires-python=\"<4,>=3.8\"",
          "data-requires-python = '&gt;=3.8' data-yanked", "title='it is \"so\" > b'"})
        for (const std::size_t count : {30U, 150U, 151U, 152U, 153U, 154U, 155U, 400U, 3000U}) {
            INFO(attribute << " " << count);
            CHECK(read(page_of(links(0, count, attribute))).page.files.size() == count);
        }
    for (const char* between :
         {"<!-- a=\"b > c, it's d -->", "a < b <br> <p>it's</p>", "<script>x = \"<a\";</script>"})
        CHECK(read(page_of(links(0, 200, "") + between + links(200, 400, ""))).page.files.size() ==
              400);
}

TEST_CASE("what takes a page's links may throw") {
    HtmlStream stream({[](HtmlElement&) { throw Fatal(5, "no room"); }, {}, {}, {}, {}});
    CHECK_THROWS_AS((void)(stream.feed(page_of("<a href='x'>x</a>")).ok() && stream.finish().ok()),
                    Fatal);
}
