// What an HTTP status or an error of curl means for us, and the words for it. Pure.
#pragma once

#include <chrono>
#include <string>

#include "pep381d/base/outcome.h"

namespace pep381d {

// `HTTP 503 Service Unavailable`, and what to do about it where we know. For a status that is not
// what was asked for. `resumed`: a range was asked for.
Failure status_failure(long status, bool resumed, std::chrono::seconds retry_after);

// How a transfer ended without a whole answer.
struct BrokenOff {
    int code = 0;            // CURLcode
    std::string detail{};    // curl's own words
    int os_error = 0;        // errno
    bool connected = false;  // the connection stood, TLS included
    std::chrono::milliseconds elapsed{0};
    std::chrono::milliseconds deadline{0};
    std::chrono::milliseconds timeout{0};
};

Failure curl_failure(const BrokenOff& end);

}  // namespace pep381d
