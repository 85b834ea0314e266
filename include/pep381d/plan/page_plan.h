// What a project's page asks of us: which files to fetch, and whether there is anything to publish.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "pep381d/model/project_page.h"

namespace pep381d {

struct PagePolicy {
    bool files = true;          // files.enabled: mirror the files, not only the pages
    bool core_metadata = true;  // files.core-metadata: mirror their .metadata too
    bool keep = false;  // deletes.policy = keep: files that leave the master's page stay on ours
};

struct Fetch {
    std::size_t file;  // index into PagePlan::page.files; with an ETag, ours lies there, and only
                       // other bytes than ours are wanted
    bool metadata;     // the .metadata companion instead of the file
    bool lies_there = false;  // in its place lies what we hold by other digests or another size, or
                              // what is in doubt: it may be the same
};

struct Refused {
    std::string file;
    std::string cause;
};

struct PagePlan {
    ProjectPage page;  // the master's, with paths, and `held` set for what we have already
    std::vector<Fetch> fetches;  // where something is in doubt, what may lie there comes first
    std::vector<Refused>
        refused;        // files of the page that cannot be stored; they are left out of `page`
    bool same = false;  // equal to `known` and nothing to fetch, unless there are other bytes where
                        // an ETag is asked for: nothing to publish
    bool loses = false;  // a file that we show is no longer on it
};

// `known`: what the state holds of this project, a null pointer where it has nothing. A file is
// known by its path and its digests: where either differs it is fetched again, unless the digests
// that are offered now prove what lies there. Without a digest its ETag is asked for; without an
// ETag it is taken for the same. `in_doubt`: paths, in order, at which other bytes lie than `known`
// says: what it has there does not count as held.
PagePlan plan_page(ProjectPage fresh, const ProjectPage* known, const PagePolicy& policy,
                   const std::vector<std::string>& in_doubt = {});

// It has files of which only an ETag tells whether they have changed.
bool asks_for_etags(const ProjectPage& known);

}  // namespace pep381d
