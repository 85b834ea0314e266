// The configuration file: it is read or every mistake is told in one line, and what was read is
// printed so that it reads back.
#include "pep381d/app/config_file.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

struct Read {
    Config config;
    std::vector<ConfigMistake> mistakes;
};

Read read(std::string_view text) {
    Read read;
    const auto settings = read_config_file(text, "file", read.mistakes);
    apply_settings(settings, read.config, read.mistakes);
    return read;
}

}  // namespace

void fuzz_one(std::string_view input) {
    const Read first = read(input);
    for (const ConfigMistake& mistake : first.mistakes) {
        require(mistake.where.starts_with("file:"), "a mistake has its line", mistake.where);
        for (const std::string& text : {mistake.key, mistake.what}) {
            require(!fuzz::has_control(text), "a mistake is one line", text);
            require(text.size() < 3000, "a mistake is short");
        }
    }
    if (!first.mistakes.empty()) return;
    const std::string printed = print_config(first.config);
    Read again = read(printed);
    // What nobody set and has no default is filled in by whoever asks for it.
    std::erase_if(again.mistakes, [&](const ConfigMistake& mistake) {
        return (mistake.key == "mirror.directory" && first.config.mirror_directory.empty()) ||
               (mistake.key == "state.file" && first.config.state_file.empty());
    });
    require(again.mistakes.empty(), "what is printed can be read", printed);
    require(print_config(again.config) == printed, "what is printed reads back", printed);
}
