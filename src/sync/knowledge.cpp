#include "pep381d/sync/knowledge.h"

#include <string_view>

#include "pep381d/sync/examination.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

Outcome<std::optional<Time>> shown_last_modified(FileTree& tree) {
    constexpr std::size_t line_most = 100;
    const auto text = read_whole(tree, layout::last_modified, line_most);
    if (!text) return text.failure();
    const auto line = std::string_view(text.value());
    if (!line.ends_with('\n')) return std::optional<Time>{};
    return parse_basic(line.substr(0, line.size() - 1));
}

bool may_be_lost(State& state) {
    return !state.time(Note::last_modified);
}

bool may_be_older(State& state, FileTree& tree) {
    if (may_be_lost(state)) return true;
    const auto shown = shown_last_modified(tree);
    return shown && shown.value() && *shown.value() > state.time(Note::last_poll).value_or(Time{});
}

}  // namespace pep381d
