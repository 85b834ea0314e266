// `pep381d status` for people.
#pragma once

#include <string>

#include "pep381d/model/status.h"

namespace pep381d {

std::string status_text(const Status& status);

}  // namespace pep381d
