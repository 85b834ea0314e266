// Links of pages, a line each: an absolute URL comes out that says all there is to know, the same
// whatever came before, and of it a path that does not leave packages/.
#include <thread>

#include "pep381d/master/page_link.h"
#include "pep381d/model/file_path.h"
#include "pep381d/net/address.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

const std::string base = "https://user:secret@pypi.example:8443/a/simple/foo/";

// As it comes out where nothing was remembered of other links.
std::optional<std::string> resolved_alone(const std::string& link) {
    std::optional<std::string> text;
    std::thread([&] {
        auto resolved = PageLink::relative_to(base)->resolve(link);
        if (resolved) text = std::move(resolved).value();
    }).join();
    return text;
}

void check_url(const std::string& url) {
    require(is_http(url) || is_https(url), "a link is http or https", url);
    require(url.starts_with("http"), "its scheme is written small", url);
    require(url.size() <= 4096, "a link has an end");
    for (const char c : url) require(c > 0x20 && c < 0x7f, "a link is printable", url);
    require(url.find('#') == std::string::npos, "a link has no fragment", url);
    const auto start = url.find("://") + 3;
    const std::string authority = url.substr(start, url.find_first_of("/?", start) - start);
    require(authority.find('@') == std::string::npos, "nobody's password goes anywhere", url);
    require(!host_of(url).empty(), "a link has a host", url);
    auto again = PageLink::relative_to(base)->resolve(url);
    require(again && again.value() == url, "a link that was resolved is resolved", url);
}

void check_path(const std::string& path, const std::string& name) {
    require(path.starts_with("packages/"), "a path stays in packages/", path);
    require(path.ends_with("/" + name), "a path ends in the name", path);
    require(path.size() <= 2048, "a path has an end", path);
    std::string_view rest(path);
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        require(legal_path_component(rest.substr(0, slash)), "each component is legal", path);
        rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    }
}

void check_paths(const std::string& url, const std::string& name_text) {
    const auto name = FileName::parse(name_text);
    if (!name) return;
    File file{*name, url, {}, {}, {}, {}, false, {}, {}, {}, {}, {}, false, false};
    if (const auto path = file_path(file)) check_path(*path, name->text());
    file.digests = {{Algorithm::sha256, std::string(32, '\x01')}};
    const auto path = file_path(file);
    require(path.has_value(), "a file with a digest has a path");
    check_path(*path, name->text());
}

// What stands behind the last slash, decoded: nearly always the file's name.
std::string last_component(const std::string& url) {
    const std::string raw = url.substr(url.rfind('/') + 1);
    std::string name;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const auto byte = raw[i] == '%' ? from_hex(raw.substr(i + 1, 2)) : std::nullopt;
        name += byte ? *byte : std::string(1, raw[i]);
        if (byte) i += byte->size() + 1;
    }
    return name;
}

}  // namespace

void fuzz_one(std::string_view input) {
    auto links = fuzz::lines_of(input);
    if (links.size() > 6) links.resize(6);
    auto page = PageLink::relative_to(base);
    require(page.has_value(), "the base is a URL");
    for (const std::string& link : links) {
        const auto resolved = page->resolve(link);
        const auto alone = resolved_alone(link);
        require(resolved.ok() == alone.has_value(), "links do not depend on one another", link);
        check_paths(link, last_component(link));
        if (!resolved) continue;
        require(resolved.value() == *alone, "links do not depend on one another", link);
        check_url(resolved.value());
        check_paths(resolved.value(), last_component(resolved.value()));
        check_paths(resolved.value(), links.front());
    }
}
