#include "pep381d/sync/page_links.h"

#include <charconv>
#include <optional>

#include "pep381d/master/page_json.h"
#include "pep381d/model/file_path.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

const Failure torn{Fault::corrupt, "it is torn, or no page of pep381d's"};

// The text between the first `begin` and the next `end`; nothing where it has none.
std::optional<std::string_view> between(std::string_view text, std::string_view begin,
                                        std::string_view end) {
    const auto from = text.find(begin);
    if (from == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(from + begin.size());
    const auto to = rest.find(end);
    if (to == std::string_view::npos) return std::nullopt;
    return rest.substr(0, to);
}

// The same path as the file's record has: what file_path() makes of a URL that ends in it.
std::optional<std::string> path_of(std::string_view link) {
    const std::string_view name = link.substr(link.rfind('/') + 1);
    std::string unescaped;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto byte = name[i] == '%' ? from_hex(name.substr(i + 1, 2)) : std::nullopt;
        unescaped += byte ? *byte : std::string(1, name[i]);
        if (byte) i += 2;
    }
    auto file_name = FileName::parse(unescaped);
    if (!file_name) return std::nullopt;
    File file{.name = std::move(*file_name)};
    file.url = "https://mirror.invalid/" + std::string(link);
    return file_path(file);
}

bool add_anchor(std::string_view anchor, LinkedPage& page) {
    const auto href = between(anchor, "href=\"../../", "\"");
    if (!href) return true;  // to the master
    const auto fragment = href->find('#');
    auto path = path_of(href->substr(0, fragment));
    if (!path) return false;
    LinkedFile link{std::move(*path), {}};
    if (fragment != std::string_view::npos)
        link.expected.digest = parse_digest(href->substr(fragment + 1));
    if (const auto metadata = between(anchor, "data-core-metadata=\"", "\""))
        page.links.push_back(
            {layout::metadata(link.path), {parse_digest(*metadata), std::nullopt, std::nullopt}});
    page.links.push_back(std::move(link));
    return true;
}

}  // namespace

Outcome<LinkedPage> links_of_html(std::string_view html) {
    constexpr std::string_view begin = "<!DOCTYPE html>", comment = "</html>\n<!--SERIAL ",
                               end = "-->\n";
    const auto last = html.rfind(comment);
    if (!html.starts_with(begin) || !html.ends_with(end) || last == std::string_view::npos)
        return torn;
    const std::string_view number =
        html.substr(last + comment.size(), html.size() - end.size() - last - comment.size());
    LinkedPage page;
    const auto read =
        std::from_chars(number.data(), number.data() + number.size(), page.serial.value);
    if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return torn;
    for (std::string_view rest = html.substr(0, last);;) {
        const auto anchor = between(rest, "<a ", "</a>");
        if (!anchor) return page;
        if (!add_anchor(*anchor, page)) return torn;
        rest.remove_prefix(static_cast<std::size_t>(anchor->data() - rest.data()) + anchor->size());
    }
}

Outcome<LinkedPage> links_of_json(std::string_view json, const ProjectName& name) {
    const std::string base = "https://mirror.invalid/";
    if (!json.ends_with("]}\n")) return torn;
    auto read = read_page_json(json, base + "simple/" + name.text() + "/", name);
    if (!read) return torn;
    LinkedPage page{read.value().page.serial, {}};
    for (const File& file : read.value().page.files) {
        if (!file.url.starts_with(base)) continue;
        const auto path = file_path(file);
        if (!path) return torn;
        page.links.push_back({*path, expected_of(file, false)});
        if (file.core_metadata.offered)
            page.links.push_back({layout::metadata(*path), expected_of(file, true)});
    }
    return page;
}

}  // namespace pep381d
