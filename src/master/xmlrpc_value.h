// The values and faults of XML-RPC (http://xmlrpc.com/spec.md), out of parsed elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"

namespace pugi {
class xml_node;
}

namespace pep381d::xmlrpc {

// The one element inside of `node`; none where there are more or where text stands beside it.
pugi::xml_node only_element(pugi::xml_node node);
// ... where it is called `name`.
pugi::xml_node only_element(pugi::xml_node node, std::string_view name);
// Nothing where elements stand among the text.
std::optional<std::string> text_of(pugi::xml_node node);

// Of a <value>. Nothing where it is of another type, or no integer that a double holds exactly.
std::optional<std::int64_t> integer_of(pugi::xml_node value);
// A value without a type is a string; nil is the empty one.
std::optional<std::string> string_of(pugi::xml_node value);
bool is_nil(pugi::xml_node value);

// What a <fault> in answer to `method` means for us.
Failure fault_failure(std::string_view method, pugi::xml_node fault);

}  // namespace pep381d::xmlrpc
