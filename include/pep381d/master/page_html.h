// Reads a project page in the HTML forms of the simple index: PEP 503 with its additions (592, 629,
// 658, 714, 740, 792), and the older one of PEP 381 masters, with `#md5=`. No I/O.
#pragma once

#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"
#include "pep381d/master/page_json.h"
#include "pep381d/model/project_page.h"

namespace pep381d {

// As read_page_json() does. The links that count are those to distributions: the path ends in one
// of their suffixes, or a digest stands in the fragment. All others (navigation, home pages, what
// has rel="homepage" or rel="download": PEP 438) are passed by. The first <base href> counts for
// all links. A file without a digest is skipped where it is at another host than the page, since
// nothing vouches for it there.
//
// Fails with Fault::corrupt on HTML that does not end with </html> or </body>, on a page of another
// project ("Links for NAME" in <title> or <h1>), of a repository-version with a major number other
// than 1 (PEP 629), and where neither a file nor those words nor a repository-version tell that
// this is a page of an index at all: an error page with status 200 must not empty a project.
//
// HTML has neither sizes nor upload times, so that the page is one of api-version 1.0. `serial` is
// that of a comment `<!--SERIAL n-->`, 0 without one.
Outcome<ReadPage> read_page_html(std::string_view html, const std::string& base,
                                 const ProjectName& expected);

// The project that the page says to be of, where that is another.
std::optional<std::string> other_project(std::string_view html, const ProjectName& expected);

}  // namespace pep381d
