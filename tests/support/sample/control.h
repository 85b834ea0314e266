// The calls below /+sample/, by which tests in other languages steer the sample master.
#pragma once

#include "support/sample/http.h"
#include "support/sample_master.h"

namespace sample {

bool is_control(const Request& request);
// Refusals are 400 with {"error": ...}.
Response control_answer(SampleMaster& master, const Request& request);

}  // namespace sample
