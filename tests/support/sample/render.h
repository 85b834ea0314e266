// Pages of the simple API in the exact form of PyPI's (PEP 503, 691, 700, 714, 740, 792). Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/sample/index.h"

namespace sample {

struct Bases {
    std::string pages;  // http://HOST:PORT of the index, without a slash at the end
    std::string files;  // and of the file host
};

std::string project_html(const Project& project, const Bases& bases, bool serials = true);
// `serials`: false leaves out what is private to PyPI.
std::string project_json(const Project& project, const Bases& bases, bool serials = true);

// `serial` is that of the whole index.
std::string root_html(std::vector<IndexEntry> entries);
std::string root_json(std::vector<IndexEntry> entries, std::int64_t serial, bool serials = true);

}  // namespace sample
