// Which form of an index page a client gets (PEP 691, "Version + Format Selection"). Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace pep381d {

enum class Representation { json, v1_html, html };

// What the client accepts, best first; empty: nothing that we have (406).
// `accept` is the Accept header (nothing: not sent), `query` the target's part behind `?`, whose
// `format=TYPE` wins over the header. A client that names no type of the simple API gets text/html
// first: it is an old one.
std::vector<Representation> acceptable(std::optional<std::string_view> accept,
                                       std::string_view query);

// Exactly as clients compare it: the versioned types carry no parameters.
std::string_view content_type(Representation representation);
// The file in the page's directory. Both HTML types have the same bytes.
std::string_view file_of(Representation representation);

}  // namespace pep381d
