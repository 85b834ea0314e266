// Texts as web and index need them: escapes, forms, names, times. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sample {

std::string lower(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string trimmed(std::string_view text);

// PEP 503: runs of -, _ and . become one -, letters become small.
std::string normalized(std::string_view name);
// The form of names in file names (PEP 427, PEP 625).
std::string underscored(std::string_view name);

// As Jinja's autoescape does it.
std::string html_escaped(std::string_view text);
// With quotes around; UTF-8 stays as it is.
std::string json_quoted(std::string_view text);
// As CPython's xmlrpc.client does it.
std::string xml_escaped(std::string_view text);

std::string percent_decoded(std::string_view text, bool plus_is_space = false);
// application/x-www-form-urlencoded; also the query part of a target.
using Form = std::multimap<std::string, std::string, std::less<>>;
Form parse_form(std::string_view body);
std::string field(const Form& form, std::string_view key, std::string_view otherwise = "");

// Microseconds since 1970 as 2023-04-04T12:26:47.798446Z, without a fraction where it is zero.
std::string iso_time(std::int64_t microseconds);
// Seconds since 1970 as Tue, 04 Apr 2023 12:26:47 GMT.
std::string http_time(std::int64_t seconds);

}  // namespace sample
