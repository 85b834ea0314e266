#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

constexpr std::string_view root = "packages/";

std::optional<std::string> unescape(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        const auto byte = from_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1) return std::nullopt;
        plain += *byte;
        i += 2;
    }
    return plain;
}

std::optional<std::string> path_of_url(const File& file) {
    const std::string_view url(file.url);
    const auto authority = url.find("://");
    if (authority == std::string_view::npos) return std::nullopt;
    const std::string_view rest = url.substr(authority + 3);
    const std::string_view full = rest.substr(0, rest.find_first_of("?#"));
    const auto start = full.find("/packages/");
    if (start == std::string_view::npos) return std::nullopt;

    std::string path(root.substr(0, root.size() - 1));
    std::string last;
    for (std::string_view left = full.substr(start + root.size()); !left.empty();) {
        left.remove_prefix(1);  // the slash
        const auto slash = left.find('/');
        const auto segment = unescape(left.substr(0, slash));
        if (!segment || !legal_path_component(*segment)) return std::nullopt;
        last = *segment;
        path += '/' + last;
        left = slash == std::string_view::npos ? std::string_view{} : left.substr(slash);
    }
    // 4096 is PATH_MAX; the mirror's own directory stands in front.
    if (last != file.name.text() || path.size() > 2048) return std::nullopt;
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

std::string escape_path(std::string_view path) {
    static constexpr char digits[] = "0123456789ABCDEF";
    constexpr std::string_view kept = "/-._~+!";
    std::string url;
    url.reserve(path.size());
    for (const char c : path) {
        const bool alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (alphanumeric || kept.find(c) != std::string_view::npos) {
            url += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            url += '%';
            url += digits[byte >> 4];
            url += digits[byte & 15];
        }
    }
    return url;
}

}  // namespace pep381d
