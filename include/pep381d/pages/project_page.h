// The project page as bytes. Pure.
//
// Files that are held (`File::held`) are linked into our own tree, the others to the master's URL.
// core-metadata is told as the master said it, but `false` / left out where the file is held and
// its .metadata is not.
#pragma once

#include <string>

#include "pep381d/model/project_page.h"

namespace pep381d {

// PEP 503, 592, 629 (always 1.4: PEP 833), 714, 740, 792; also well-formed XML, because PEP 381
// clients parse it as such. Ends in `<!--SERIAL n-->` and a newline.
std::string project_html(const ProjectPage& page);

// PEP 691 as JSON. `meta` comes first, with `_last-serial` as its first member, so that the web
// server finds the serial in the first bytes.
std::string project_json(const ProjectPage& page);

}  // namespace pep381d
