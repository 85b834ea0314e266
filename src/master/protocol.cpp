#include "pep381d/master/protocol.h"

#include <array>
#include <string>
#include <utility>

#include "pep381d/base/text.h"

namespace pep381d {

namespace {

constexpr std::array<std::pair<std::string_view, Protocol>, 4> names{
    {{"auto", Protocol::automatic},
     {"warehouse", Protocol::warehouse},
     {"pep381", Protocol::pep381},
     {"simple", Protocol::simple}}};

constexpr std::string_view json_type = "application/vnd.pypi.simple.v1+json";
constexpr std::string_view html_type = "application/vnd.pypi.simple.v1+html";

}  // namespace

std::optional<Protocol> protocol_named(std::string_view name) {
    for (const auto& [text, protocol] : names)
        if (text == name) return protocol;
    return std::nullopt;
}

std::string_view name_of(Protocol protocol) {
    return names.at(static_cast<std::size_t>(protocol)).first;
}

std::string page_path(Protocol protocol, const ProjectName& name, std::string_view display) {
    return "/simple/" + (protocol == Protocol::pep381 ? std::string(display) : name.text()) + "/";
}

std::string signature_path(Protocol protocol, const ProjectName& name, std::string_view display) {
    return "/serversig/" + (protocol == Protocol::pep381 ? std::string(display) : name.text());
}

std::string_view page_types(Protocol protocol, bool html_only) {
    if (html_only) return "text/html";
    switch (protocol) {
        case Protocol::warehouse:
            return json_type;
        case Protocol::pep381:
            return "text/html";
        case Protocol::automatic:
        case Protocol::simple:
            break;
    }
    // As pip asks.
    return "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.1, "
           "text/html;q=0.01";
}

std::optional<PageFormat> page_format(Protocol protocol, std::string_view content_type,
                                      bool html_only) {
    const bool html = content_type.starts_with("text/html") || content_type.starts_with(html_type);
    if (html_only) return html ? std::optional(PageFormat::html) : std::nullopt;
    if (html && protocol != Protocol::warehouse) return PageFormat::html;
    if (content_type.starts_with(json_type) && protocol != Protocol::pep381)
        return PageFormat::json;
    return std::nullopt;
}

std::optional<Time> read_last_modified(std::string_view text) {
    text = trim(text);
    if (text.ends_with('Z')) text.remove_suffix(1);
    std::string basic(text);
    if (text.size() == 19 && text[4] == '-' && text[7] == '-') {
        basic.erase(7, 1);
        basic.erase(4, 1);
    }
    const auto time = parse_basic(basic);
    return time && unix_seconds(*time) >= 0 ? time : std::nullopt;
}

}  // namespace pep381d
