#include "pep381d/app/config_file.h"

#include <map>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/base/text.h"

namespace pep381d {

namespace {

class Reader {
  public:
    Reader(const std::string& path, std::vector<ConfigMistake>& mistakes)
        : path_(path), mistakes_(mistakes) {}

    void read_line(std::string_view line) {
        ++number_;
        line = trim(line);
        if (line.empty() || line.front() == '#' || line.front() == ';') return;
        if (line.front() == '[')
            read_section(line);
        else
            read_setting(line);
    }

    std::vector<ConfigSetting> settings;

  private:
    std::string where() const { return fmt::format("{}:{}", path_, number_); }
    void mistake(std::string key, std::string what) {
        mistakes_.push_back({where(), std::move(key), std::move(what)});
    }

    void read_section(std::string_view line) {
        section_known_ = false;
        if (line.back() != ']')
            return mistake(quoted(line), "the section has no end: write [SECTION]");
        section_ = trim(line.substr(1, line.size() - 2));
        section_known_ = is_config_section(section_);
        if (!section_known_)
            mistake(quoted(section_), "unknown section" + suggest_config_section(section_));
    }

    void read_setting(std::string_view line) {
        if (!section_known_) return;  // told once, at the section
        const auto equals = line.find('=');
        if (equals == std::string_view::npos)
            return mistake(quoted(line),
                           "the line has no `=`: write KEY = VALUE, or # before a comment");
        std::string name(trim(line.substr(0, equals)));
        if (!section_.empty()) name = section_ + '.' + name;
        const ConfigKey* key = find_config_key(name);
        if (key == nullptr) return mistake(quoted(name), "unknown key" + suggest_config_key(name));
        const auto [first, is_first] = first_lines_.emplace(name, number_);
        if (!is_first && !key->list)
            return mistake(name,
                           fmt::format("given twice, first in line {}: remove one", first->second));
        settings.push_back({where(), name, std::string(trim(line.substr(equals + 1)))});
    }

    const std::string& path_;
    std::vector<ConfigMistake>& mistakes_;
    int number_ = 0;
    std::string section_;
    bool section_known_ = true;  // before the first section, keys are written SECTION.KEY
    std::map<std::string, int> first_lines_;
};

}  // namespace

std::vector<ConfigSetting> read_config_file(std::string_view text, const std::string& path,
                                            std::vector<ConfigMistake>& mistakes) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // some editors put it in front
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    Reader reader(path, mistakes);
    while (!text.empty()) {
        const auto end = text.find('\n');
        reader.read_line(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return std::move(reader.settings);
}

}  // namespace pep381d
