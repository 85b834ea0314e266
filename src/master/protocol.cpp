#include "pep381d/master/protocol.h"

#include <array>
#include <chrono>
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

// Exactly so many digits; -1 where they are none.
int number(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

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
    using namespace std::chrono;
    text = trim(text);
    if (text.ends_with('Z')) text.remove_suffix(1);
    const bool basic = text.size() == 17;
    if (!basic && (text.size() != 19 || text[4] != '-' || text[7] != '-')) return std::nullopt;
    const std::size_t dash = basic ? 0 : 1;
    const std::string_view clock = text.substr(text.size() - 9);
    if (clock[0] != 'T' || clock[3] != ':' || clock[6] != ':') return std::nullopt;
    const int y = number(text, 0, 4), m = number(text, 4 + dash, 2),
              d = number(text, 6 + 2 * dash, 2);
    const int h = number(clock, 1, 2), minute = number(clock, 4, 2), s = number(clock, 7, 2);
    if (y < 1970 || m < 0 || d < 0 || h < 0 || h > 23 || minute < 0 || minute > 59 || s < 0 ||
        s > 60)
        return std::nullopt;
    const year_month_day date{year{y}, month{static_cast<unsigned>(m)},
                              day{static_cast<unsigned>(d)}};
    if (!date.ok()) return std::nullopt;
    return Time(sys_days{date} + hours{h} + minutes{minute} + seconds{s});
}

}  // namespace pep381d
