// The PyPI of before 2013, as PEP 381 mirrors knew it: pages under display names, `#md5=` and the
// old layout of files, a journal by time. Pure functions, but for the digests of files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/sample/index.h"

namespace sample {

// `/packages/source/F/Foo/Foo-1.0.tar.gz`
std::string legacy_path(const Project& project, const Blob& blob);
// The file at such a path; null: none.
std::shared_ptr<const Blob> legacy_blob(const Index& index, std::string_view path);

std::string legacy_project_html(const Project& project);
std::string legacy_root_html(std::vector<IndexEntry> entries);

// The answer to an XML-RPC call: changelog, list_packages; all else is a fault with code 1, as
// Python's server makes of an exception.
std::string legacy_xmlrpc_answer(const Index& index, std::string_view body, bool stale);

// `20261101T12:00:00` and a newline.
std::string last_modified_text(std::int64_t microseconds);

}  // namespace sample
