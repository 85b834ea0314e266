#include "pep381d/master/page_copy.h"

#include "pep381d/master/page_html.h"
#include "pep381d/model/file_path.h"

#include "support/catch.h"

using namespace pep381d;

namespace {

const std::string md5(32, 'a'), sha256_hex(64, 'b');
const ProjectName foo = *ProjectName::parse("foo");
const std::string sdist =
    "<a href=\"../../packages/source/f/foo/foo-1.0.tar.gz#md5=" + md5 + "\">foo-1.0.tar.gz</a>";

std::string page_of(const std::string& body) {
    return "<html><head><title>Links for foo</title></head><body>" + body + "</body></html>\n";
}

// As the mirror reads it from its master.
std::string refusal(const std::string& body,
                    const std::string& from = "https://master.example/simple/foo/") {
    const std::string html = page_of(body);
    auto read = read_page_html(html, from, foo);
    REQUIRE(read);
    ProjectPage page = std::move(read).value().page;
    for (File& file : page.files) file.path = file_path(file).value_or("");
    return not_copyable(html, page).value_or("");
}

}  // namespace

TEST_CASE("a page whose links lead into the tree below it can be copied") {
    CHECK(refusal("").empty());
    CHECK(refusal(sdist).empty());
    CHECK(refusal(sdist, "https://master.example/below/simple/Foo/").empty());
    CHECK(refusal(sdist + "<a href=\"https://home.example/\" rel=\"homepage\">home</a>"
                          "<a href=\"https://x.example/foo.zip\" rel=\"download\">d</a>")
              .empty());
    CHECK(refusal("<a href='../../packages/%66oo-1.0.tar.gz#md5=" + md5 + "'>x</a>").empty());
    CHECK(refusal("<a href='../../packages/f-1.0-py3-none-any.whl#sha256=" + sha256_hex +
                  "' data-core-metadata='sha256=" + sha256_hex + "'>x</a>")
              .empty());
    CHECK(refusal("<a href='../../packages/f-1.0-py3-none-any.whl' data-core-metadata='sha256=" +
                  sha256_hex + "' data-dist-info-metadata='true'>x</a>")
              .empty());
    CHECK(refusal(sdist + sdist).empty());
    CHECK(refusal("<base target='_blank'>" + sdist).empty());
    for (const char* comment :
         {"<!---->", "<!----->", "<!-- a > b, a -> b -- c -->", "<!--SERIAL 5-->"})
        CHECK(refusal(comment + sdist + comment).empty());
}

TEST_CASE("comments of dashes cost no more than others") {
    std::string nested, comments;
    for (int i = 0; i < 3'000; ++i) nested += "<!--";
    for (int i = 0; i < 500; ++i)
        comments += "<!-- " + std::string(12'000, '-') + " --><!-- " + nested + " -->";
    CHECK(refusal(sdist + comments).empty());
}

TEST_CASE("a page that would lead elsewhere from our tree is not copied, and why is told") {
    struct Bad {
        const char* body;
        const char* cause;
    };
    const auto bad = GENERATE(values<Bad>({
        {"<a href='https://files.example/packages/foo-1.0.tar.gz#md5=MD5'>x</a>", "does not lead"},
        {"<a href='https://master.example/packages/foo-1.0.tar.gz'>x</a>", "does not lead"},
        {"<a href='//master.example/packages/foo-1.0.tar.gz'>x</a>", "does not lead"},
        {"<a href='/packages/foo-1.0.tar.gz'>x</a>", "does not lead"},
        {"<a href='../../../packages/foo-1.0.tar.gz'>x</a>", "does not lead"},
        {"<a href='../../files/foo-1.0.tar.gz#sha256=SHA'>x</a>", "does not lead"},
        {"<a href='foo-1.0.tar.gz#sha256=SHA'>x</a>", "does not lead"},
        {"<a href='../../packages/foo-1.0.tar.gz?x=1'>x</a>", "does not lead"},
        {"<base href='https://other.example/simple/foo/'>", "<base href>"},
        {"<base href='../foo/'>", "<base href>"},
        {"<a href='../../packages/foo-1.0.tar.gz' href='https://x.example/foo-1.0.tar.gz'>x</a>",
         "an attribute twice"},
        {"<a HREF='../../packages/foo-1.0.tar.gz' class='x' href=''>x</a>", "an attribute twice"},
        {"<!--><a href='https://x.example/foo-1.0.tar.gz'>x</a><!-- -->", "a comment"},
        {"<!---><a href='https://x.example/foo-1.0.tar.gz'>x</a><!-- -->", "a comment"},
        {"<!-- --!><a href='https://home.example/'>x</a><!-- -->", "a comment"},
        {"<!-- -- ><a href='https://x.example/foo-1.0.tar.gz'>x</a><!-- -->", "a comment"},
        {"<a href='../..//packages/foo-1.0.tar.gz'>x</a>", "can be no file"},
        {"<a href='../../packages/foo/notes'>x</a>", "no file that is mirrored"},
        {"<a href='../../packages/foo-1.0.tar.gz' rel='homepage'>x</a>",
         "no file that is mirrored"},
        {"<a href='../../packages/../../etc/foo-1.0.tar.gz'>x</a>", "does not lead"},
        {"<a href='../../packages/f/..%2f..%2fx-1.0.tar.gz'>x</a>", "can be no file"},
        {"<a href='../../packages/f-1.0-py3-none-any.whl' "
         "data-dist-info-metadata='sha512=ab'>x</a>",
         "metadata"},
        // Old readers know one attribute, new ones prefer the other.
        {"<a href='../../packages/f-1.0-py3-none-any.whl' data-core-metadata='sha256=SHA' "
         "data-dist-info-metadata='sha256=CCC'>x</a>",
         "metadata"},
        {"<a href='../../packages/f-1.0-py3-none-any.whl' data-core-metadata='true' "
         "data-dist-info-metadata='sha256=CCC'>x</a>",
         "metadata"},
        {"<a href='../../packages/f-1.0-py3-none-any.whl' data-core-metadata='sha256=SHA' "
         "data-dist-info-metadata='sha512=ab'>x</a>",
         "metadata"},
        // For us both say the same of the file; for pip the second one offers metadata.
        {"<a href='../../packages/f-1.0-py3-none-any.whl'>x</a>"
         "<a href='../../packages/f-1.0-py3-none-any.whl' data-core-metadata='sha512=ab'>x</a>",
         "metadata"},
    }));
    std::string body = bad.body;
    for (const auto& [word, text] : {std::pair("MD5", md5), std::pair("SHA", sha256_hex),
                                     std::pair("CCC", std::string(64, 'c'))})
        if (const auto at = body.find(word); at != std::string::npos) body.replace(at, 3, text);
    INFO(body);
    CHECK_THAT(refusal(body), ContainsSubstring(bad.cause));
}

TEST_CASE("a link from the root of the host leaves the tree, wherever its master lies") {
    for (const std::string where : {"web", "pypi"}) {
        const std::string from = "https://master.example/" + where + "/simple/foo/";
        const std::string file = "packages/foo-1.0.tar.gz#md5=" + md5 + "'>x</a>";
        CHECK(refusal("<a href='../../" + file, from).empty());
        for (const char* start : {"/", "../../../", "https://master.example/"})
            CHECK_THAT(refusal("<a href='" + (start + where) + "/" + file, from),
                       ContainsSubstring("does not lead"));
    }
}

TEST_CASE("a page that is cut off is not copied") {
    ProjectPage page{foo, {}, {}, {}, {}, {}};
    CHECK(not_copyable("<html><body><h1>Links for foo</h1>", page));
}
