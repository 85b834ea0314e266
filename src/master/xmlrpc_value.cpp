#include "master/xmlrpc_value.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "pep381d/base/log.h"
#include "pep381d/base/text.h"

namespace pep381d::xmlrpc {

namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// What a rate limit asks us to wait: "HTTPTooManyRequests: ... Limit may reset in N seconds"
// (Warehouse). 0 where the text is about something else.
std::chrono::seconds limit_reset(std::string_view text) {
    constexpr std::string_view words = "Limit may reset in ";
    constexpr std::int64_t least = 1, most = 3600;
    // Where no N is named: each try counts against the limit, so that hasty ones prolong it.
    const std::chrono::seconds unnamed{text.starts_with("HTTPTooManyRequests") ? 60 : 0};
    const auto at = text.find(words);
    if (at == std::string_view::npos) return unnamed;
    std::int64_t seconds = 0;
    const char* first = text.data() + at + words.size();
    const std::errc error = std::from_chars(first, text.data() + text.size(), seconds).ec;
    if (error == std::errc::invalid_argument) return unnamed;
    if (error == std::errc::result_out_of_range) seconds = most;
    return std::chrono::seconds{std::clamp(seconds, least, most)};
}

// `gone`: there is no such method. `refused`: the same question would get the same answer: wrong
// arguments, no XML-RPC that the server understands (the codes of pyramid_rpc), or what Warehouse
// says of methods that it gave up.
Fault fault_of(std::int64_t code, std::string_view text) {
    if (code == -32601) return Fault::gone;
    // Python's own server, as PyPI was before 2018 (protocol B.4).
    if (code == 1 && text.find("is not supported") != std::string_view::npos) return Fault::gone;
    if (code == -32602 || code == -32700) return Fault::refused;
    if (code == -32500 && (text.starts_with("ValueError:") || text.starts_with("RuntimeError:")))
        return Fault::refused;
    return Fault::retry_later;
}

}  // namespace

pugi::xml_node only_element(pugi::xml_node node) {
    const pugi::xml_node child = node.first_child();
    if (child.type() != pugi::node_element || !child.next_sibling().empty()) return {};
    return child;
}

pugi::xml_node only_element(pugi::xml_node node, std::string_view name) {
    const pugi::xml_node child = only_element(node);
    return name == child.name() ? child : pugi::xml_node{};
}

std::optional<std::string> text_of(pugi::xml_node node) {
    std::string text;
    for (const pugi::xml_node part : node.children()) {
        if (part.type() == pugi::node_element) return std::nullopt;
        text += part.value();
    }
    return text;
}

bool is_nil(pugi::xml_node value) {
    const std::string_view type = only_element(value).name();
    return type == "nil" || type == "ex:nil";
}

std::optional<std::int64_t> integer_of(pugi::xml_node value) {
    const pugi::xml_node typed = only_element(value);
    const std::string_view type = typed.name();
    const auto content = text_of(typed);
    if (!content) return std::nullopt;
    const std::string_view text = trim(*content);
    if (type == "int" || type == "i4" || type == "i8") return number_in<std::int64_t>(text);
    if (type != "double") return std::nullopt;
    const auto number = number_in<double>(text);
    constexpr double exact = 9007199254740992;  // 2^53: above it, a double is no exact integer
    if (!number || std::abs(*number) > exact || std::trunc(*number) != *number) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

std::optional<std::string> string_of(pugi::xml_node value) {
    if (is_nil(value)) return std::string{};
    const pugi::xml_node typed = only_element(value);
    if (!typed) return text_of(value);
    if (std::string_view(typed.name()) != "string") return std::nullopt;
    return text_of(typed);
}

Failure fault_failure(std::string_view method, pugi::xml_node fault) {
    std::optional<std::int64_t> code;
    std::string text;
    for (const pugi::xml_node member : fault.child("value").child("struct").children("member")) {
        const std::string_view name = member.child("name").child_value();
        if (name == "faultCode") code = integer_of(member.child("value")).value_or(0);
        if (name == "faultString") text = string_of(member.child("value")).value_or("");
    }
    const Fault kind = code ? fault_of(*code, text) : Fault::retry_later;
    const std::string shown = code ? fmt::format("{}", *code) : "?";
    constexpr std::int64_t too_many = 429;  // requests at a time, of the same age
    return Failure{
        kind, fmt::format("{}: the server answers with fault {}, {}", method, shown, quoted(text)),
        kind == Fault::retry_later ? limit_reset(text) : std::chrono::seconds{0}, code == too_many};
}

}  // namespace pep381d::xmlrpc
