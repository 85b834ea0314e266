#include "pep381d/serve/negotiation.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>

#include "pep381d/serve/words.h"

namespace pep381d {

namespace {

// In the order in which we prefer them where the client names several at one weight.
constexpr std::array<Representation, 3> all = {Representation::json, Representation::v1_html,
                                               Representation::html};

std::optional<Representation> named(std::string_view type) {
    if (same_word(type, "text/html")) return Representation::html;
    for (const std::string_view version : {"v1", "latest"}) {
        const std::string stem = "application/vnd.pypi.simple." + std::string(version);
        if (same_word(type, stem + "+json")) return Representation::json;
        if (same_word(type, stem + "+html")) return Representation::v1_html;
    }
    return std::nullopt;
}

// How closely a media range names a representation (RFC 9110 12.5.1); 0: not at all.
int closeness(std::string_view range, Representation representation) {
    if (range == "*/*") return 1;
    if (same_word(range, "text/*")) return representation == Representation::html ? 2 : 0;
    if (same_word(range, "application/*")) return representation == Representation::html ? 0 : 2;
    return named(range) == representation ? 3 : 0;
}

// Thousandths; a weight that is not one counts as 0, so that it cannot win.
int weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
    int value = text[0] == '1' ? 1000 : 0;
    if (text.size() == 1) return value;
    if (text[1] != '.') return 0;
    int unit = 100;
    for (const char c : text.substr(2)) {
        if (c < '0' || c > '9') return 0;
        value += unit * (c - '0');
        unit /= 10;
    }
    return std::min(value, 1000);
}

struct Choice {
    Representation representation = Representation::html;
    int closeness = 0;
    int weight = 0;

    // Greater is better. For a client that says only `*/*`, JSON is the last resort.
    std::tuple<int, int, bool> rank() const {
        const bool guess = closeness == 1;
        return {weight, closeness, !guess || representation == Representation::html};
    }
};

void consider(Choice& choice, std::string_view media_range) {
    const std::string_view type = next_word(media_range, ';');
    const int close = closeness(type, choice.representation);
    if (close == 0 || close < choice.closeness) return;
    int q = 1000;
    while (!media_range.empty()) {
        const std::string_view parameter = next_word(media_range, ';');
        if (same_word(parameter.substr(0, 2), "q=")) q = weight(parameter.substr(2));
    }
    choice.weight = close > choice.closeness ? q : std::max(q, choice.weight);
    choice.closeness = close;
}

std::optional<std::string> format_parameter(std::string_view query) {
    constexpr std::string_view key = "format=";
    while (!query.empty()) {
        const std::string_view parameter = next_word(query, '&');
        if (parameter.substr(0, key.size()) == key) {
            // A bare `+` stays one: PEP 691 writes `?format=application/vnd.pypi.simple.v1+json`.
            return percent_decoded(parameter.substr(key.size())).value_or("");
        }
    }
    return std::nullopt;
}

}  // namespace

std::vector<Representation> acceptable(std::optional<std::string_view> accept,
                                       std::string_view query) {
    if (const auto format = format_parameter(query)) {
        const auto asked = named(*format);
        return asked ? std::vector{*asked} : std::vector<Representation>{};
    }
    std::vector<Choice> choices;
    for (const Representation representation : all) {
        Choice choice{representation};
        std::string_view rest = accept.value_or("*/*");
        if (trimmed(rest).empty()) rest = "*/*";
        while (!rest.empty()) consider(choice, next_word(rest, ','));
        if (choice.weight > 0) choices.push_back(choice);
    }
    std::stable_sort(choices.begin(), choices.end(),
                     [](const Choice& a, const Choice& b) { return a.rank() > b.rank(); });
    std::vector<Representation> best_first;
    for (const Choice& choice : choices) best_first.push_back(choice.representation);
    return best_first;
}

std::string_view content_type(Representation representation) {
    switch (representation) {
        case Representation::json:
            return "application/vnd.pypi.simple.v1+json";
        case Representation::v1_html:
            return "application/vnd.pypi.simple.v1+html";
        case Representation::html:
            break;
    }
    return "text/html; charset=utf-8";
}

std::string_view file_of(Representation representation) {
    return representation == Representation::json ? "index.v1_json" : "index.html";
}

}  // namespace pep381d
