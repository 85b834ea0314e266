// What can happen to the projects of an index, each told to the journal in PyPI's words
// (W:packaging, W:manage). The population of the start is made of the same steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/sample/index.h"
#include "support/sample/random.h"
#include "support/sample_master.h"

namespace sample {

// The five that are always there and that random events never take away: `pip install requests`
// works.
bool is_lasting(const Project& project);

struct ReleasePlan {
    std::string version;
    std::string requires_python;
    std::size_t files = 100;  // at most; the project's style says which
};

// Steps, without saving what was before.
void create(Index& index, Project& project, Random& random);
void add_release(Index& index, Project& project, const ReleasePlan& plan, Random& random);
std::string next_version(const Project& project, Random& random);
std::string some_yank_reason(Random& random);
void note_roles(Index& index, Project& project, Random& random);

// One event. Throws std::invalid_argument, with the reason, where it cannot happen.
Event apply(Index& index, const EventRequest& request);
// A file entry that is listed as it is given; its row names a file that nobody has.
Event add_extra(Index& index, const std::string& project, const std::string& file_json);
// Events of every kind that the journal tells, over random projects; the names touched, sorted.
std::vector<std::string> apply_random(Index& index, int count, std::uint64_t seed);

}  // namespace sample
