// The published tree as a web site: what to answer to a request. It opens files and reads at most a
// few bytes of them; it knows no sockets. Any thread may call it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pep381d/base/descriptor.h"
#include "pep381d/base/log.h"

namespace pep381d {

// Only what the answer depends on. Several header lines of one name are joined by commas.
struct SiteRequest {
    bool head = false;
    std::string target;  // as it came, not decoded
    std::optional<std::string> accept;
    std::optional<std::string> if_none_match;
    std::optional<std::string> if_modified_since;
    std::optional<std::string> range;
    std::optional<std::string> if_range;
};

struct SiteReply {
    unsigned int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  // used where there is no descriptor
    Descriptor descriptor;
    std::uint64_t offset = 0;  // the part of the file to send
    std::uint64_t length = 0;

    void add(std::string name, std::string value) {
        headers.emplace_back(std::move(name), std::move(value));
    }
};

class Site {
  public:
    // The web/ directory. Throws Fatal(5) where it cannot be opened.
    Site(const std::string& root, Log& log);

    SiteReply answer(const SiteRequest& request) const;

  private:
    Descriptor root_;
    Log& log_;
};

// A short answer in text/plain, for everything that is not a file.
SiteReply text_reply(unsigned int status, std::string_view text);

}  // namespace pep381d
