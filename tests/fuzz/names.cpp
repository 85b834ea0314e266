// Names of projects and files: what is legal is one component of a path and of a log line, whatever
// it was before.
#include <algorithm>

#include "pep381d/base/log.h"
#include "pep381d/base/text.h"
#include "pep381d/model/file_name.h"
#include "pep381d/model/file_path.h"
#include "pep381d/model/project_name.h"
#include "pep381d/serve/words.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

void check_component(std::string_view text) {
    require(!text.empty() && text.size() <= 255, "a component fits a file system", text);
    require(text.front() != '.', "a component leads nowhere, and is no server's", text);
    require(text.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos,
            "a component is one", text);
    require(!fuzz::has_control(text), "a component is no terminal's command", text);
    require(is_utf8(text), "a component is UTF-8", text);
}

void check_project(std::string_view raw) {
    const auto name = ProjectName::parse(raw);
    if (!name) return;
    const std::string& text = name->text();
    check_component(text + ".ed25519");
    require(std::all_of(text.begin(), text.end(),
                        [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                        }),
            "a normalized name has these characters", text);
    require(text.front() != '-' && text.back() != '-' && text.find("--") == std::string::npos,
            "a normalized name is normalized", text);
    require(ProjectName::parse(text) == name, "normalizing again changes nothing", text);
}

void check_file(std::string_view raw) {
    const auto name = FileName::parse(raw);
    require(!name || name->text() == raw, "a file name is kept as it is", raw);
    if (!name) return;
    check_component(name->text() + ".metadata");
    std::string escaped;
    append_escaped_path(escaped, name->text());
    require(escaped.find_first_of("<>&\"'?#\\ ") == std::string::npos, "a link holds no markup",
            escaped);
    require(percent_decoded(escaped) == name->text(), "an escaped name leads back", escaped);
}

void check_quoted(std::string_view raw) {
    const std::string word = quoted(raw);
    require(!fuzz::has_control(word), "a word of the log is one word", word);
    require(is_utf8(word), "a word of the log is UTF-8", word);
    require(word.size() < 300 * 4 + 10, "a word of the log is short", word);
    require(word.find(' ') == std::string::npos || word.front() == '"', "blanks are in quotes",
            word);
    require(!word.empty(), "an empty word is shown");
}

}  // namespace

void fuzz_one(std::string_view input) {
    check_project(input);
    check_file(input);
    check_quoted(input);
    if (legal_path_component(input)) check_component(input);
}
