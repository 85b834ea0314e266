#include "support/sample/xmlrpc.h"

#include <algorithm>
#include <array>
#include <limits>

#include <pugixml.hpp>

#include "support/sample/text.h"

namespace sample {
namespace {

constexpr std::size_t row_limit = 50'000;

std::string member(std::string_view name, const std::string& value) {
    return "<member>\n<name>" + xml_escaped(name) + "</name>\n" + value + "\n</member>\n";
}

std::string row_value(const JournalRow& row) {
    return "<value><array><data>" + of_string(row.name) +
           (row.version ? of_string(*row.version) : "<value><nil/></value>") + of_int(row.time) +
           of_string(row.action) + of_int(row.serial) + "</data></array></value>\n";
}

std::string changelog(const Index& index, std::int64_t since, bool stale) {
    const auto& journal = index.journal();
    const auto last = index.told_serial(stale);
    auto row = std::upper_bound(journal.begin(), journal.end(), since,
                                [](std::int64_t n, const JournalRow& r) { return n < r.serial; });
    std::string rows;
    for (std::size_t n = 0; n < row_limit && row != journal.end() && row->serial <= last;
         ++n, ++row)
        rows += row_value(*row);
    return answer("<value><array><data>\n" + rows + "</data></array></value>");
}

std::string package_list(const Index& index, bool stale) {
    std::string members;
    for (const auto& entry : index.list(true, stale))
        members += member(entry.display, of_int(entry.serial));
    return answer("<value><struct>\n" + members + "</struct></value>");
}

// PyPI's parameter is a StrictInt: nothing but an integer type passes
// (W:legacy/api/xmlrpc/views.py).
std::optional<std::int64_t> integer_parameter(const pugi::xml_node& call) {
    const auto parameters = call.child("params");
    const auto value = parameters.child("param").child("value").first_child();
    const std::string_view type = value.name(), text = value.child_value();
    if (type != "int" && type != "i4") return {};
    if (std::distance(parameters.begin(), parameters.end()) != 1) return {};
    if (text.empty() || text.size() > 11 || text.find_first_not_of("-0123456789") != text.npos)
        return {};
    const auto number = std::strtoll(text.data(), nullptr, 10);
    if (std::abs(number) > std::numeric_limits<std::int32_t>::max()) return {};
    return number;
}

std::string refusal(const std::string& method) {
    if (method == "changelog")
        return fault(-32500,
                     "ValueError: The changelog method has been deprecated, use "
                     "changelog_since_serial instead.");
    if (method == "system.multicall")
        return fault(-32500,
                     "ValueError: MultiCall requests have been deprecated, use individual requests "
                     "instead.");
    static constexpr std::array deprecated{
        "list_packages", "package_releases", "release_urls", "release_data",     "search",
        "top_packages",  "package_urls",     "package_data", "release_downloads"};
    if (std::find(deprecated.begin(), deprecated.end(), method) != deprecated.end())
        return fault(-32500,
                     "RuntimeError: This API has been deprecated or does not exist: " + method);
    return fault(-32601, "server error; requested method not found");
}

}  // namespace

std::string of_string(std::string_view text) {
    return "<value><string>" + xml_escaped(text) + "</string></value>";
}

std::string of_int(std::int64_t number) {
    return "<value><int>" + std::to_string(number) + "</int></value>";
}

std::string answer(const std::string& value) {
    return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n" + value +
           "\n</param>\n</params>\n</methodResponse>\n";
}

std::string fault(int code, const std::string& text) {
    return "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n" +
           member("faultCode", of_int(code)) + member("faultString", of_string(text)) +
           "</struct></value>\n</fault>\n</methodResponse>\n";
}

std::string method_of(std::string_view body) {
    pugi::xml_document document;
    document.load_buffer(body.data(), body.size());
    return document.child("methodCall").child_value("methodName");
}

std::string xmlrpc_answer(const Index& index, std::string_view body, bool stale) {
    pugi::xml_document document;
    const auto parsed = document.load_buffer(body.data(), body.size());
    const auto call = document.child("methodCall");
    const std::string method = call.child_value("methodName");
    if (!parsed || method.empty()) return fault(-32700, "parse error; not well formed");
    if (method == "changelog_last_serial") return answer(of_int(index.told_serial(stale)));
    if (method == "list_packages_with_serial") return package_list(index, stale);
    if (method != "changelog_since_serial") return refusal(method);
    const auto since = integer_parameter(call);
    if (!since) return fault(-32602, "client error; serial: Input should be a valid integer");
    return changelog(index, *since, stale);
}

}  // namespace sample
