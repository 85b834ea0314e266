// The loop and the committer each meet pages that are older than the journal; both say it so.
#pragma once

#include <string>

#include "pep381d/model/project_name.h"
#include "pep381d/model/serial.h"
#include "pep381d/sync/policy.h"

namespace pep381d {

std::string stale_page(const Policy& policy, const ProjectName& project, Serial shown,
                       Serial journal);

// Where pages have no serials.
std::string page_of_removed(const Policy& policy, const ProjectName& project);

}  // namespace pep381d
