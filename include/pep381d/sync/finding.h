// What verifying finds: something below mirror.directory that is not as the state says, or that
// nobody knows of. Values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"
#include "pep381d/model/project_name.h"

namespace pep381d {

enum class Flaw {
    missing,      // what the state holds, or says is published, is not there
    wrong_kind,   // a directory or a link lies where a file belongs, or the other way round
    wrong_size,   // of a file
    wrong_bytes,  // a file's digest; a page or root index that is not what the state makes
    unreadable,   // the disk or a permission keeps it from being read
    access,       // the web server may not be able to read it, or the mirror to replace it
    stray,        // below the mirror's own directories, and nothing owns it
    dead_link,    // a page links to a file that is not there, whole; a root index names no page
    ahead,        // last-modified is newer than what was handled, or no time
    foreign,      // directly below web/, and not the mirror's: an operator's, such as robots.txt
    leftover,     // in staging/: a pass that did not end well left it, or one is under way
};

std::string_view name_of(Flaw flaw);

// False for what is only worth a note: it is no fault of the mirror, and the exit status does not
// count it.
bool is_fault(Flaw flaw);

// Why something cannot be read. Where nothing can be, for want of descriptors or memory, that is
// nobody's fault: Fatal.
std::string cause_of(const Failure& failure);

struct Finding {
    Flaw flaw;
    std::string path;                    // relative to mirror.directory
    std::string cause;                   // why it is wrong
    std::optional<ProjectName> project;  // that it is about, where it is about one
};

}  // namespace pep381d
