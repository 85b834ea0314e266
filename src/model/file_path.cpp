#include "pep381d/model/file_path.h"

#include <algorithm>

#include "pep381d/base/byte_set.h"

namespace pep381d {

namespace {

constexpr std::string_view root = "packages/";
// Directories below it; PyPI's paths have 3. Whoever walks the tree has as many open.
constexpr int deepest = 64;

// As RFC 3986 allows in a path, and what else need not be escaped.
constexpr ByteSet to_escape = ByteSet(alphanumeric).add("/-._~+!").complement();

bool append_unescaped(std::string& out, std::string_view text) {
    for (;;) {
        const auto escape = text.find('%');
        out += text.substr(0, escape);
        if (escape == std::string_view::npos) return true;
        const auto byte = from_hex(text.substr(escape + 1, 2));
        if (!byte || byte->size() != 1) return false;
        out += *byte;
        text.remove_prefix(escape + 3);
    }
}

std::optional<std::string> path_of_url(const File& file) {
    const std::string_view url(file.url);
    const auto authority = url.find("://");
    if (authority == std::string_view::npos) return std::nullopt;
    const std::string_view rest = url.substr(authority + 3);
    const std::string_view full = rest.substr(0, std::min(rest.find('?'), rest.find('#')));
    const auto start = full.find("/packages/");
    if (start == std::string_view::npos) return std::nullopt;

    std::string path;
    path.reserve(full.size() - start - 1);
    path = root.substr(0, root.size() - 1);
    std::size_t last = 0;
    int depth = 0;
    for (std::string_view left = full.substr(start + root.size()); !left.empty();) {
        left.remove_prefix(1);  // the slash
        const auto slash = left.find('/');
        path += '/';
        last = path.size();
        if (++depth > deepest || !append_unescaped(path, left.substr(0, slash)) ||
            !legal_path_component(std::string_view(path).substr(last)))
            return std::nullopt;
        left = slash == std::string_view::npos ? std::string_view{} : left.substr(slash);
    }
    // 4096 is PATH_MAX; the mirror's own directory stands in front.
    if (std::string_view(path).substr(last) != file.name.text() || path.size() > 2048)
        return std::nullopt;
    return path;
}

}  // namespace

std::optional<std::string> file_path(const File& file) {
    if (auto path = path_of_url(file)) return path;
    for (const Digest& digest : file.digests)
        if (digest.algorithm == Algorithm::sha256 &&
            digest.bytes.size() == digest_size(Algorithm::sha256)) {
            const std::string hex = to_hex(digest.bytes);
            return std::string(root) + hex.substr(0, 2) + '/' + hex.substr(2, 2) + '/' +
                   hex.substr(4) + '/' + file.name.text();
        }
    return std::nullopt;
}

bool legal_file_path(std::string_view path) {
    if (!path.starts_with(root)) return false;
    for (;;) {
        const auto slash = path.find('/');
        if (!legal_path_component(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

void append_escaped_path(std::string& out, std::string_view path) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::size_t copied = 0;
    for (std::size_t i = 0; (i = to_escape.find_in(path, i)) < path.size(); copied = ++i) {
        const auto byte = static_cast<unsigned char>(path[i]);
        out += path.substr(copied, i - copied);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    out += path.substr(copied);
}

}  // namespace pep381d
