// What the daemon's log says of projects that fail, once a minute in place of a line for each: how
// many, the commonest causes with an example each, and when something is tried again. Pure.
#pragma once

#include <string>
#include <vector>

#include "pep381d/model/status.h"

namespace pep381d {

// `not_in_sync projects=9 next_try=2026-11-21T21:15:47Z cause="HTTP 503 ..." of=7 example=...
// cause=` `failing` may be a part of all `count`.
std::string failure_summary(const std::vector<FailingProject>& failing, std::int64_t count);

}  // namespace pep381d
