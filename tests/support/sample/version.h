// The order of versions (PEP 440), as far as project pages need it: they list files by version,
// then by name.
#pragma once

#include <string>
#include <string_view>

namespace sample {

// Whether `a` comes before `b`. What is not a version sorts first, by its text.
bool version_less(std::string_view a, std::string_view b);

// The next version after `version`: its last number of three (or fewer) plus one, without any
// suffix. `place` 0, 1, 2 is the number to raise; later ones become 0.
std::string bumped(std::string_view version, unsigned place);

}  // namespace sample
