// The table of all configuration keys: it drives reading, --help and check-config. To add a key,
// add a member to Config and a row to the table. Pure values; any thread may read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/app/config.h"

namespace pep381d {

struct ConfigKey {
    std::string_view name;     // SECTION.KEY
    std::string_view form;     // what stands for a value in --help: DURATION
    std::string_view meaning;  // without a full stop at the end
    std::string_view
        accepted;  // what a value may be, to tell who wrote another one: completes `write ...`
    bool list;     // a value of many words, and the key may be repeated

    // Stores a value (of a list: adds one word) and says whether it is an acceptable one.
    bool (*read)(Config& config, const std::string& value);
    // The value as read() takes it; of a list, its words.
    std::vector<std::string> (*print)(const Config& config);
    void (*clear)(Config& config);  // empties a list; null for others
};

const std::vector<ConfigKey>& config_keys();
const ConfigKey* find_config_key(std::string_view name);
bool is_config_section(std::string_view section);

// ` (did you mean X?)` with the key or section that resembles the name most; empty where none does.
std::string suggest_config_key(std::string_view name);
std::string suggest_config_section(std::string_view section);

// A value that somebody wrote, and where.
struct ConfigSetting {
    std::string where;  // FILE:LINE, or `command line`
    std::string key;
    std::string value;
};

// Stores the settings in order. The first setting of a list replaces what the list held.
void apply_settings(const std::vector<ConfigSetting>& settings, Config& config,
                    std::vector<ConfigMistake>& mistakes);

}  // namespace pep381d
