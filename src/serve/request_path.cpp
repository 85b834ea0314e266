#include "pep381d/serve/request_path.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "pep381d/model/project_name.h"
#include "pep381d/serve/words.h"

namespace pep381d {

namespace {

using Kind = Resource::Kind;

struct Path {
    std::vector<std::string> components;
    bool slash = false;  // at the end
};

bool legal(std::string_view component) {
    // No name that we publish begins with a dot; `.`, `..` and an editor's leftovers do.
    if (component.empty() || component.front() == '.') return false;
    return std::none_of(component.begin(), component.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\';
    });
}

// `target` begins with a slash.
std::optional<Path> decoded(std::string_view target) {
    Path path;
    target.remove_prefix(1);
    while (!target.empty()) {
        const std::size_t end = target.find('/');
        const auto component = percent_decoded(target.substr(0, end));
        if (!component || !legal(*component)) return std::nullopt;
        path.components.push_back(*component);
        path.slash = end != std::string_view::npos;
        target = path.slash ? target.substr(end + 1) : std::string_view();
    }
    return path;
}

std::string joined(const std::vector<std::string>& components) {
    std::string text;
    for (const std::string& component : components) {
        if (!text.empty()) text += '/';
        text += component;
    }
    return text;
}

Resource at(Kind kind, std::string path) {
    return {kind, std::move(path), {}, {}};
}
Resource redirect(std::string location) {
    return {Kind::redirect, {}, std::move(location), {}};
}

Resource in_simple(const Path& path) {
    const auto& parts = path.components;
    if (parts.size() == 1) return path.slash ? at(Kind::page, "simple") : redirect("simple/");
    const auto name = parts.size() == 2 ? ProjectName::parse(parts[1]) : std::nullopt;
    if (!name) return {};
    if (!path.slash) return redirect(name->text() + '/');
    if (name->text() != parts[1]) return redirect("../" + name->text() + '/');
    return at(Kind::page, "simple/" + name->text());
}

Resource in_status(const Path& path) {
    const auto& parts = path.components;
    if (parts.size() == 1)
        return path.slash ? at(Kind::status_html, "status/index.html") : redirect("status/");
    if (parts.size() > 2 || path.slash) return {};
    if (parts[1] == "status.json") return at(Kind::status_json, "status/status.json");
    if (parts[1] == "index.html") return redirect("./");
    return {};
}

Resource in_tree(const Path& path) {
    const auto& parts = path.components;
    if (parts.empty()) return at(Kind::home, {});
    if (parts[0] == "simple") return in_simple(path);
    if (parts[0] == "status") return in_status(path);
    // PEP 381 clients ask for a signature with a slash at the end and without.
    if (parts[0] == "serversig" && parts.size() == 2) return at(Kind::signature, joined(parts));
    if (path.slash) return {};
    if (parts[0] == "packages" && parts.size() > 1) return at(Kind::package, joined(parts));
    if (parts.size() == 1 &&
        (parts[0] == "last-modified" || parts[0] == "serverkey" || parts[0] == "serverkey.ed25519"))
        return at(Kind::small_text, parts[0]);
    if (parts[0] == "pypi" && parts.size() == 3 && parts[2] == "json")
        return at(Kind::legacy_json, joined(parts));
    return {};
}

// `http://host/path`, as a proxy is asked, means `/path` (RFC 9112 3.2.2).
std::string_view without_authority(std::string_view target) {
    const std::size_t scheme = target.find("://");
    if (target.empty() || target.front() == '/' || scheme == std::string_view::npos) return target;
    const std::size_t path = target.find('/', scheme + 3);
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

bool visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Resource resource_of(std::string_view target) {
    target = without_authority(target.substr(0, target.find('#')));
    const std::size_t question = target.find('?');
    const std::string_view query =
        question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    target = target.substr(0, question);
    if (target.empty() || target.front() != '/') return at(Kind::bad, {});
    const auto path = decoded(target);
    if (!path) return {};
    Resource resource = in_tree(*path);
    resource.query = query;
    if (resource.kind == Kind::redirect && !query.empty() && visible(query)) {
        resource.location += '?';
        resource.location += query;
    }
    return resource;
}

}  // namespace pep381d
