// A project's page as files: staged together in a directory of their own, so that the page of a new
// project takes its place with one call.
//
// Thread rule: page_text(), which also begins to sign, and stage_page() of a page that the
// committer does not have yet: any; the others the committer's. Failures are Fatal(5).
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/model/project_page.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// The bytes of a page in the formats of the policy; empty where a format is not among them, or is
// to stay as it is.
struct PageText {
    std::string html, json;
    std::shared_future<Signatures> signatures;  // of the HTML, on their way; where pages are signed
};
PageText page_text(const Policy& policy, const ProjectPage& page);
// The HTML is the master's own, with its signature (empty: none).
PageText copied_text(const Policy& policy, const ProjectPage& page, std::string html,
                     const std::string& signature);

struct StagedPage {
    std::string directory;           // in staging/
    std::vector<std::string> names;  // of the files in it, as they will be called
    bool replaces = false;           // it may be there already
    std::shared_future<Signatures> signing;
    // Each in staging/, and where it belongs: the page's signatures are in another directory.
    std::vector<std::pair<std::string, std::string>> signatures;
    // Its signature of before goes first, so that a kill leaves it beside no other page.
    bool unsigned_first = false;
};

// One file for each format of the policy that has a text, and the alias of the HTML. `name`: of the
// directory. `replaces`: the page may be there already.
StagedPage stage_page(FileTree& tree, const Policy& policy, const Clock& clock,
                      const ProjectName& project, const PageText& text, const std::string& name,
                      bool replaces);
// Waits for the signatures; before the page is flushed.
void stage_signatures(FileTree& tree, const Clock& clock, const ProjectName& project,
                      StagedPage& staged);
// The page and its signatures, back to back. Its one failure is Fault::refused: something of
// somebody's lies in the way of one; the others are in their places then.
Done place_page(FileTree& tree, const StagedPage& staged, const ProjectName& project);
void discard_page(FileTree& tree, const StagedPage& staged);

// The modification time (seconds) of what replaces this file: web servers make ETags of whole
// seconds and the size, and a file rewritten within a second must not keep both. Nothing where none
// is there.
std::optional<std::int64_t> new_mtime(FileTree& tree, const Clock& clock, const std::string& path);

}  // namespace pep381d
