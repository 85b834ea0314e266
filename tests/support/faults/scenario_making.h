// What the scenarios are made with: a master's pages, the mirror of before, and what is true of
// both.
#pragma once

#include <cstdint>
#include <string>

#include "support/faults/scenario.h"

namespace faults {

// One with our own pages, of a master that has nothing yet.
Scenario scenario_of(const std::string& name);

// A file of the master with these bytes, at the place that its name gives it.
pep381d::File file_of(const std::string& name, const std::string& bytes);

pep381d::ProjectPage with_serial(pep381d::ProjectPage page, std::int64_t serial);

// The page in the form that is asked for: where it is copied, in HTML, in words that are not ours,
// with its signature.
void publish_as_asked(Scenario& scenario, pep381d::ProjectPage page);

// Mirrors what the master has at first, without a fault.
void begin_with_a_mirror(Scenario& scenario);

// What the mirror must be in the end; what it was before stays allowed on the way.
void settle(Scenario& scenario);

}  // namespace faults
