// What a published page links to in our own tree, out of its bytes: for pages that are newer than
// the state, because a kill came between their publication and their record. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"
#include "pep381d/model/project_name.h"
#include "pep381d/model/serial.h"
#include "pep381d/tree/proof.h"

namespace pep381d {

struct LinkedFile {
    std::string path;  // below web/
    Expected expected;
};

struct LinkedPage {
    Serial serial;
    std::vector<LinkedFile> links;  // files and their .metadata
};

// Each fails with Fault::corrupt on what is not a whole page of this program's making.
Outcome<LinkedPage> links_of_html(std::string_view html);
Outcome<LinkedPage> links_of_json(std::string_view json, const ProjectName& name);

}  // namespace pep381d
