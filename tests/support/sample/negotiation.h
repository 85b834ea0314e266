// How an answer fits what the client asked for: its form, coding, condition and range (RFC 9110).
// Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "support/sample/http.h"

namespace sample {

// text/html or one of the two v1 types (PEP 691), by ?format= or Accept; text/html where nothing
// fits, as PyPI has it.
std::string page_type(const Request& request);

// Whether `coding` is wanted at all by an Accept-Encoding header.
bool accepts_coding(const std::string& header, const std::string& coding);

// An index answer: gzip where asked, ETag over what is sent, 304 for one that the client has.
Response finished_page(Response response, const Request& request);

// A file's answer, which has its ETag: Content-Range and 206 or 416 where a range is asked for. No
// 304: PyPI's file host knows none.
Response finished_file(Response response, const Request& request);

}  // namespace sample
