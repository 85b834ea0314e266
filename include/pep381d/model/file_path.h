// Where a file of the master lies in our tree (design 1.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pep381d/model/project_page.h"

namespace pep381d {

// The path below web/, always `packages/...` and ending in the file's name: that of the URL from
// /packages/ on, percent escapes decoded. Where the URL has no /packages/, or its path is not one
// that we would store, or does not end in the file's name: `packages/`, the SHA-256 cut 2/2/60, the
// name. Nothing where neither works.
std::optional<std::string> file_path(const File& file);

// Such a path: `packages/...`, each part of it legal.
bool legal_file_path(std::string_view path);

// Appends the path as a URL path: every byte but unreserved characters (RFC 3986) and `/` escaped,
// `+` and
// `!` left as they are.
void append_escaped_path(std::string& out, std::string_view path);

}  // namespace pep381d
