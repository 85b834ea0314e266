#include "pep381d/model/project_name.h"

namespace pep381d {

namespace {

bool alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool separator(char c) {
    return c == '-' || c == '_' || c == '.';
}

// A file name may have 255 bytes, and serversig/NAME.ed25519 is the longest that carries a
// project's name.
constexpr std::size_t longest = 255 - 8;

}  // namespace

std::optional<ProjectName> ProjectName::parse(std::string_view raw) {
    if (raw.empty() || raw.size() > longest) return std::nullopt;
    if (!alphanumeric(raw.front()) || !alphanumeric(raw.back())) return std::nullopt;
    std::string text;
    text.reserve(raw.size());
    for (const char c : raw) {
        if (separator(c)) {
            if (text.back() != '-') text += '-';
        } else if (alphanumeric(c)) {
            text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        } else {
            return std::nullopt;
        }
    }
    return ProjectName(std::move(text));
}

}  // namespace pep381d
