// How commands end: the last line on stderr (design 1.1), and the log that they all write.
#pragma once

#include <string>

#include "pep381d/app/config.h"
#include "pep381d/app/mirror.h"
#include "pep381d/base/log.h"
#include "pep381d/base/outcome.h"

namespace pep381d {

// Says on stderr the status, the cause and the remedy in 150 characters: the cause is cut. The
// status.
int end_with(int status, std::string cause, const std::string& remedy);

int end_with(const Fatal& fatal);

// 0 where the mirror is in sync by now.
int end_of_pass(const PassResult& result, const Config& config, State& state);

Log::Level level_of(const Config& config);

}  // namespace pep381d
