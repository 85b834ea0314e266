#include "pep381d/app/config.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "pep381d/app/config_key.h"
#include "pep381d/base/log.h"
#include "pep381d/base/text.h"

namespace pep381d {

namespace {

std::string complaint(const ConfigKey& key, const std::string& value) {
    std::string what =
        fmt::format("{} is not accepted: write {}",
                    quoted(key.form.starts_with("URL") ? display_url(value) : value), key.accepted);
    if (value.find(" #") != std::string::npos || value.find(" ;") != std::string::npos)
        what += "; a comment stands on a line of its own";
    return what;
}

// A value with a line break would not survive print_config, and one in a header or a log line would
// forge the next.
bool has_control_character(const std::string& value) {
    return std::any_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

}  // namespace

void apply_settings(const std::vector<ConfigSetting>& settings, Config& config,
                    std::vector<ConfigMistake>& mistakes) {
    std::set<std::string_view> lists;
    for (const ConfigSetting& setting : settings) {
        const ConfigKey& key = *find_config_key(setting.key);
        if (key.list && lists.insert(key.name).second) key.clear(config);
        std::vector<std::string> values{std::string(trim(setting.value))};
        if (const auto parts = words(setting.value); key.list && !parts.empty())
            values.assign(parts.begin(), parts.end());
        for (const std::string& value : values)
            if (has_control_character(value) || !key.read(config, value))
                mistakes.push_back({setting.where, setting.key, complaint(key, value)});
    }
}

std::string print_config(const Config& config) {
    std::string text;
    std::string_view section;
    for (const ConfigKey& key : config_keys()) {
        const auto dot = key.name.find('.');
        if (section != key.name.substr(0, dot)) {
            section = key.name.substr(0, dot);
            text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
        }
        const auto values = key.print(config);
        if (values.empty()) text += fmt::format("{} =\n", key.name.substr(dot + 1));
        for (const std::string& value : values)
            text += fmt::format("{} ={}{}\n", key.name.substr(dot + 1), value.empty() ? "" : " ",
                                value);
    }
    return text;
}

}  // namespace pep381d
