#include "pep381d/model/file_name.h"

#include <algorithm>
#include <cstdint>

#include "pep381d/base/byte_set.h"
#include "pep381d/base/text.h"

namespace pep381d {

namespace {

constexpr std::size_t longest_component = 255;  // bytes, on every file system that we know
constexpr std::size_t companion_suffix = 9;     // ".metadata"

// Control characters, separators, and the bytes of UTF-8 beyond ASCII.
constexpr ByteSet doubtful = ByteSet().add(0, 0x1f).add("/\\").add(0x7f, 0xff);

}  // namespace

bool legal_path_component(std::string_view text) {
    if (text.empty() || text.size() > longest_component) return false;
    // Besides `.` and `..`: web servers obey `.htaccess`, and hide others.
    if (text.front() == '.') return false;
    for (std::size_t i = 0; (i = doubtful.find_in(text, i)) < text.size();) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if (byte < 0x80) return false;
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) return false;
        if (byte == 0xc2 && static_cast<std::uint8_t>(text[i + 1]) < 0xa0)
            return false;  // U+0080 to U+009F
        i += length;
    }
    return true;
}

std::optional<FileName> FileName::parse(std::string_view raw) {
    if (raw.size() > longest_component - companion_suffix || !legal_path_component(raw))
        return std::nullopt;
    return FileName(std::string(raw));
}

std::vector<ProjectName> likely_projects(std::string_view name) {
    std::vector<ProjectName> projects;
    const bool wheel = name.ends_with(".whl");
    for (std::size_t dash = wheel ? name.find('-') : name.rfind('-');
         dash != std::string_view::npos && dash > 0; dash = name.rfind('-', dash - 1)) {
        if (auto project = ProjectName::parse(name.substr(0, dash)))
            projects.push_back(std::move(*project));
        if (wheel) break;
    }
    return projects;
}

bool speaks_of(std::string_view file_name, const ProjectName& project) {
    const auto likely = likely_projects(file_name);
    return std::find(likely.begin(), likely.end(), project) != likely.end();
}

}  // namespace pep381d
