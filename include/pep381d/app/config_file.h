// The text of a configuration file (INI) as settings. Own code and not
// boost::program_options::parse_config_file, which cuts values at `#`, stops at the first mistake,
// and knows no line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pep381d/app/config_key.h"

namespace pep381d {

// `path` is only for `where`. Lines that are no settings, unknown keys, and keys given twice become
// mistakes.
std::vector<ConfigSetting> read_config_file(std::string_view text, const std::string& path,
                                            std::vector<ConfigMistake>& mistakes);

}  // namespace pep381d
