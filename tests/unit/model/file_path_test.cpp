#include "pep381d/model/file_path.h"

#include "support/catch.h"

using namespace pep381d;

namespace {

const std::string hex = "6ad7088119c5d395963039e65990eb848503d6a9e34f8c85e124981467e09935";
const std::string by_digest =
    "packages/6a/d7/088119c5d395963039e65990eb848503d6a9e34f8c85e124981467e09935/a-1.0.zip";

File file(const std::string& url, const std::string& name = "a-1.0.zip") {
    return File{.name = *FileName::parse(name),
                .url = url,
                .digests = {{Algorithm::sha256, *from_hex(hex)}}};
}

std::string escape_path(const std::string& path) {
    std::string url;
    append_escaped_path(url, path);
    return url;
}

}  // namespace

TEST_CASE("a file lies where its URL says, from /packages/ on") {
    struct Row {
        std::string url, path;
    };
    const auto row = GENERATE(values<Row>({
        {"https://files.pythonhosted.org/packages/17/15/0ff7/a-1.0.zip",
         "packages/17/15/0ff7/a-1.0.zip"},
        {"http://127.0.0.1:8380/packages/a-1.0.zip", "packages/a-1.0.zip"},
        {"https://example.org/pypi/packages/source/a/a-1.0.zip", "packages/source/a/a-1.0.zip"},
        {"https://example.org/packages/x/packages/a-1.0.zip", "packages/x/packages/a-1.0.zip"},
        {"https://example.org/packages/x/a-1.0.zip?token=1#md5=0", "packages/x/a-1.0.zip"},
        {"https://example.org/packages/x/a%2D1.0.zip", "packages/x/a-1.0.zip"},
        {"https://example.org/packages/%78/a-1.0.zip", "packages/x/a-1.0.zip"},
    }));
    INFO(row.url);
    CHECK(file_path(file(row.url)) == row.path);
}

TEST_CASE("a file whose URL has no path that we would store lies under its digest") {
    const std::string url = GENERATE(
        "https://example.org/files/a-1.0.zip", "https://example.org/packages/x/b-1.0.zip",
        "https://example.org/packages/x/../a-1.0.zip",
        "https://example.org/packages/%2e%2e/a-1.0.zip",
        "https://example.org/packages/x%2Fy/a-1.0.zip", "https://example.org/packages//a-1.0.zip",
        "https://example.org/packages/x/a-1.0.zip/", "https://example.org/packages/%00/a-1.0.zip",
        "https://example.org/packages/%zz/a-1.0.zip", "https://example.org/packages/%/a-1.0.zip",
        "https://example.org/packages/x%0a/a-1.0.zip", "https://example.org/packages/a-1.0.zi%",
        "https://example.org/?/packages/x/a-1.0.zip", "https://example.org/#/packages/x/a-1.0.zip",
        "https://example.org/packages", "no URL", "");
    INFO(url);
    CHECK(file_path(file(url)) == by_digest);
}

TEST_CASE("a path that would be too long for the system gives way to the digest") {
    std::string url = "https://example.org/packages/";
    for (int i = 0; i < 1100; ++i) url += "x/";
    CHECK(file_path(file(url + "a-1.0.zip")) == by_digest);
}

TEST_CASE("a path deeper than any walk goes gives way to the digest") {
    std::string url = "https://example.org/packages/";
    for (int i = 1; i < 64; ++i) url += "x/";
    CHECK(file_path(file(url + "a-1.0.zip"))->starts_with("packages/x/x/x/"));
    CHECK(file_path(file(url + "x/a-1.0.zip")) == by_digest);
}

TEST_CASE("a file with neither a usable URL nor a whole SHA-256 has no path") {
    File without = file("https://example.org/a-1.0.zip");
    without.digests = {{Algorithm::md5, std::string(16, 'x')}};
    CHECK_FALSE(file_path(without));
    without.digests = {Digest{Algorithm::sha256, {}}};
    CHECK_FALSE(file_path(without));
    without.digests.clear();
    CHECK_FALSE(file_path(without));
}

TEST_CASE("a path in a URL is escaped where it must be") {
    struct Row {
        std::string path, url;
    };
    const auto row = GENERATE(values<Row>({
        {"packages/17/15/a-1.0_b~c.tar.gz", "packages/17/15/a-1.0_b~c.tar.gz"},
        {"packages/a-1.0+local-1!2.zip", "packages/a-1.0+local-1!2.zip"},
        {"packages/a b.zip", "packages/a%20b.zip"},
        {"packages/a#b?c%d&e\"f<g>'h.zip", "packages/a%23b%3Fc%25d%26e%22f%3Cg%3E%27h.zip"},
        {"packages/\u00fc.zip", "packages/%C3%BC.zip"},
        {"", ""},
    }));
    CHECK(escape_path(row.path) == row.url);
}

TEST_CASE("an escaped path leads back to the path") {
    const std::string name = "a b#c?d%e&f\u00fc+g!.zip";
    const std::string path = "packages/x y/" + name;
    CHECK(file_path(file("https://example.org/" + escape_path(path), name)) == path);
}
