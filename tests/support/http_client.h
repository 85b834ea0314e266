// One HTTP request, for tests. It follows no redirect and decodes nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace sample {

struct Fetched {
    int status = 0;                              // 0: no answer
    std::string error;                           // what went wrong on the way; empty: nothing
    std::map<std::string, std::string> headers;  // names in small letters
    std::string body;
};

struct Fetch {
    std::string url;
    std::vector<std::string> headers;  // "Accept: text/html"
    std::string post;                  // not empty: POST of it
    bool head = false;
    long timeout_ms = 20'000;
};

// Thread-safe.
Fetched fetch(const Fetch& what);

}  // namespace sample
