// The mirror's own keys, as the configuration names them.
#pragma once

#include <optional>
#include <string>

#include "pep381d/app/config.h"

namespace pep381d {

// Reads what `signing.key` names. Why pages cannot be signed with that, and what to do; nothing
// where they can be, or need not be.
std::optional<std::string> load_signing_keys(Config& config);

// `pep381d keygen`: makes what is missing of both keys and their public halves.
int keygen(const Config& config);

}  // namespace pep381d
