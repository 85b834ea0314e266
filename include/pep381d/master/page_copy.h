// Whether a page in HTML can be shown as the master sent it, in a tree of our own (pages.mode =
// copy): each file that it names is one that we mirror, and its link leads there. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"
#include "pep381d/model/project_page.h"

namespace pep381d {

// A file of a copied page, as its link leads to it from simple/NAME/.
struct CopiedLink {
    std::string path;  // below web/, percent escapes decoded: `packages/...`, legal
    std::optional<Digest> digest;
    bool metadata = false;  // its .metadata is offered
    DigestBytes metadata_sha256;
    bool metadata_unclear = false;  // by other digests than one of SHA-256
};

// All links of the page that lead below packages/ in the tree that it lies in. Links elsewhere
// (home pages, navigation) are passed by. Fails with Fault::corrupt where the page has a <base
// href>, a link below packages/ that can be no file of ours, an attribute twice in a link, or a
// comment that not all readers end in the same place.
Outcome<std::vector<CopiedLink>> links_of_copy(std::string_view html, const ProjectName& name);

// Why the page cannot be copied; nothing where it can be. `page`: what was read of it, with paths.
std::optional<std::string> not_copyable(std::string_view html, const ProjectPage& page);

}  // namespace pep381d
