// The values of the configuration, each from its text: nothing where the text is not one.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "pep381d/base/room.h"

namespace pep381d {

std::optional<bool> parse_flag(const std::string& text);
std::optional<int> parse_request_count(const std::string& text);  // 1 to 1000
std::optional<double> parse_fraction(const std::string& text);    // 0 to 1
// Both of an amount, or a percentage: `1GiB`, `100000`, `0.1%`.
std::optional<Reserve> parse_reserved_bytes(const std::string& text);
std::optional<Reserve> parse_reserved_inodes(const std::string& text);
std::optional<std::chrono::milliseconds> parse_positive_duration(const std::string& text);
std::optional<std::string> parse_path(const std::string& text);  // without a slash at the end
std::optional<std::string> parse_optional_path(const std::string& text);
std::optional<std::string> parse_master_url(const std::string& text);  // without a slash at the end
std::optional<int> parse_ip_version(const std::string& text);          // 0 for `any`
std::optional<std::string> parse_alternate(const std::string& text);
std::optional<std::string> parse_proxy(const std::string& text);           // or empty
std::optional<std::string> parse_listen_address(const std::string& text);  // or empty
std::optional<std::string> parse_log_level(const std::string& text);
bool is_name_pattern(const std::string& text);

}  // namespace pep381d
