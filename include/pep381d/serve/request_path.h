// What a request target means in the published tree (design 1.3, PEP 503 "URL rules"). Pure.
//
// The path is cut into components and each is percent-decoded once; what is left cannot leave the
// tree, and what is not named here does not exist.
#pragma once

#include <string>
#include <string_view>

namespace pep381d {

struct Resource {
    enum class Kind {
        none,        // 404
        bad,         // 400: not a path at all
        redirect,    // 301 to `location`
        home,        // `/`: the status page or the index
        page,        // a directory of an index page in several representations
        package,     // a distribution file, or its companion
        small_text,  // `last-modified`, `serverkey`
        signature,
        legacy_json,
        status_html,
        status_json,
    };
    Kind kind = Kind::none;
    std::string path;      // below web/, without a slash at either end
    std::string location;  // relative to the request, so that it holds below any prefix and behind
                           // any proxy
    std::string query;     // behind the `?`, not decoded
    bool operator==(const Resource&) const = default;
};

Resource resource_of(std::string_view target);

}  // namespace pep381d
