// `pep381d status` for people.
#pragma once

#include <string>

#include "pep381d/model/removal_record.h"
#include "pep381d/model/status.h"

namespace pep381d {

std::string status_text(const Status& status);
// A line, and one for each file.
std::string removal_text(const RemovalRecord& removal);

}  // namespace pep381d
