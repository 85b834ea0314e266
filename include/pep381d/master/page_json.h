// Reads a project page in the JSON form of the simple index (PEP 691, 700, 714, 740, 792). No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"
#include "pep381d/model/project_page.h"

namespace pep381d {

// An entry of the page that cannot be mirrored whatever one does: it is left out and reported.
struct Skipped {
    std::string name;  // as the master wrote it, perhaps not legal
    std::string cause;
};

struct ReadPage {
    ProjectPage page;
    std::vector<Skipped> skipped;
};

// `json`: the body. `base`: the URL that it came from; relative file URLs are resolved against it.
// `expected`: the name that was asked for. Fails with Fault::corrupt on anything that is not such a
// page: no JSON, no `files`, another project's name, an api-version with a major number other
// than 1. A file without a legal name, with a URL that is not http(s), with user name or password
// in it, or with a size that is no non-negative integer is skipped; so is a second entry of the
// same file name. `path`, `held`, `metadata_held` are not set.
Outcome<ReadPage> read_page_json(std::string_view json, const std::string& base,
                                 const ProjectName& expected);

}  // namespace pep381d
