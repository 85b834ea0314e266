#include "support/sample/negotiation.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "support/sample/archive.h"
#include "support/sample/digest.h"
#include "support/sample/text.h"

namespace sample {
namespace {

constexpr auto html = "text/html", v1_html = "application/vnd.pypi.simple.v1+html",
               v1_json = "application/vnd.pypi.simple.v1+json",
               latest_html = "application/vnd.pypi.simple.latest+html",
               latest_json = "application/vnd.pypi.simple.latest+json";

struct Preference {
    std::string range;
    double q = 1;
};

std::vector<Preference> preferences(const std::string& header) {
    std::vector<Preference> list;
    for (const auto& item : split(header, ',')) {
        const auto parts = split(item, ';');
        Preference preference{lower(trimmed(parts[0])), 1};
        for (const auto& parameter : parts)
            if (const auto text = lower(trimmed(parameter)); text.starts_with("q="))
                preference.q = std::strtod(text.c_str() + 2, nullptr);
        if (!preference.range.empty()) list.push_back(std::move(preference));
    }
    return list;
}

// The weight of the most specific range that has it.
double weight(const std::vector<Preference>& list, const std::string& type,
              const std::string& wide) {
    for (const auto& range : {type, type.substr(0, type.find('/')) + "/*", wide})
        for (const auto& preference : list)
            if (preference.range == range) return preference.q;
    return 0;
}

std::string etag_of(std::string_view bytes) {
    return "\"" + hex(sha256(bytes)).substr(0, 32) + "\"";
}

bool names_tag(const std::string& header, const std::string& etag) {
    for (const auto& item : split(header, ',')) {
        auto tag = trimmed(item);
        if (tag.starts_with("W/")) tag.erase(0, 2);
        if (tag == etag || tag == "*") return true;
    }
    return false;
}

struct Range {
    std::uint64_t first, last;
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
    return value;
}

enum class Asked { whole, part, impossible };

// One range only; what is malformed or asks for several is answered whole, as RFC 9110 14.2 allows.
Asked asked_range(const std::string& header, std::uint64_t size, Range& range) {
    const auto dash = header.find('-');
    if (!header.starts_with("bytes=") || dash == std::string::npos) return Asked::whole;
    const auto first = whole_number(std::string_view{header}.substr(6, dash - 6));
    const auto last = whole_number(std::string_view{header}.substr(dash + 1));
    const bool open = dash + 1 == header.size(), suffix = dash == 6;
    if ((!first && !suffix) || (!last && !open) || (suffix && open)) return Asked::whole;
    if (suffix)
        range = {size - std::min(size, *last), size - 1};
    else
        range = {*first, last ? std::min(*last, size - 1) : size - 1};
    if (first && last && *last < *first) return Asked::whole;
    return range.first >= size || (suffix && *last == 0) ? Asked::impossible : Asked::part;
}

}  // namespace

std::string page_type(const Request& request) {
    // A + in a query is a space to a form, but it is in these types' names, and spaces are not.
    auto format = field(parse_form(request.query), "format");
    std::replace(format.begin(), format.end(), ' ', '+');
    const auto list = preferences(format.empty() ? request.header("accept") : format);
    std::string best = html;
    double best_weight = 0;
    for (const auto& [asked, answered] :
         {std::pair{html, html}, std::pair{v1_html, v1_html}, std::pair{v1_json, v1_json},
          std::pair{latest_html, v1_html}, std::pair{latest_json, v1_json}}) {
        const auto q = weight(list, asked, "*/*");
        if (q <= best_weight) continue;
        best = answered;
        best_weight = q;
    }
    return best;
}

bool accepts_coding(const std::string& header, const std::string& coding) {
    return weight(preferences(header), coding, "*") > 0;
}

Response finished_page(Response response, const Request& request) {
    if (accepts_coding(request.header("accept-encoding"), "gzip") && !response.body->empty()) {
        response.set_body(gzip(*response.body));
        response.set("Content-Encoding", "gzip");
    }
    const auto etag = etag_of(*response.body);
    response.set("ETag", etag);
    if (names_tag(request.header("if-none-match"), etag)) {
        response.status = 304;
        response.set_body("");
    }
    return response;
}

Response finished_file(Response response, const Request& request) {
    const auto size = response.body->size();
    const auto etag = response.header("ETag");
    response.set("Accept-Ranges", "bytes");
    const auto asked = request.header("range"), condition = request.header("if-range");
    const bool same =
        condition.empty() || condition == etag || condition == response.header("Last-Modified");
    Range range{};
    if (asked.empty() || !same) return response;
    const auto kind = asked_range(asked, size, range);
    if (kind == Asked::impossible) {
        response.status = 416;
        response.set("Content-Range", "bytes */" + std::to_string(size));
        response.set_body("");
    }
    if (kind == Asked::part) {
        response.status = 206;
        response.set("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                          std::to_string(range.last) + "/" + std::to_string(size));
        response.set_body(response.body->substr(range.first, range.last - range.first + 1));
    }
    return response;
}

}  // namespace sample
