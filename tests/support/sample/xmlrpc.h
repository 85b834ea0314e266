// XML-RPC as PyPI speaks it to mirrors: calls read, answers written in the form of CPython's
// xmlrpc.client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/sample/index.h"

namespace sample {

// The method's name of a call; empty where the body is none.
std::string method_of(std::string_view body);

// The answer to a call; what PyPI refuses becomes a fault. `stale`: as before the latest event.
std::string xmlrpc_answer(const Index& index, std::string_view body, bool stale);

// What answers are made of.
std::string of_string(std::string_view text);
std::string of_int(std::int64_t number);
std::string answer(const std::string& value);
std::string fault(int code, const std::string& text);

}  // namespace sample
