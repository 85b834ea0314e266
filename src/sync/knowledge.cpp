#include "pep381d/sync/knowledge.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pep381d/sync/examination.h"
#include "pep381d/sync/page_links.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

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
    if (!state.number(Note::cursor) || state.number(Note::older_tree)) return true;
    return !state.time(Note::last_modified) && state.waits_for_master();
}

bool has_any(FileTree& tree, const char* part) {
    const std::string path = layout::published(part);
    const auto look = must(tree.look(path));
    if (!look || look->kind != FileKind::directory) return look.has_value();
    return must(must(tree.list(path))->next()).has_value();
}

bool files_may_be_unknown(State& state, FileTree& tree) {
    return state.files_may_be_unknown() && has_any(tree, "packages");
}

bool has_page(FileTree& tree, const ProjectName& project) {
    for (const std::string& page : {layout::page_html(project), layout::page_json(project)}) {
        const auto look = must(tree.look(layout::published(page)));
        if (look && look->kind == FileKind::file) return true;
    }
    return false;
}

std::vector<std::string> files_of_before(FileTree& tree, const ProjectName& project) {
    constexpr std::size_t page_most = 64 << 20;
    const auto links_in = [&](const std::string& page, const auto& links_of) {
        const auto bytes = read_whole(tree, layout::published(page), page_most);
        const auto read = bytes ? links_of(bytes.value()) : Outcome<LinkedPage>(bytes.failure());
        return read ? read.value().links : std::vector<LinkedFile>();
    };
    auto links = links_in(layout::page_json(project),
                          [&](const std::string& bytes) { return links_of_json(bytes, project); });
    if (links.empty()) links = links_in(layout::page_html(project), links_of_html);
    std::vector<std::string> names;
    for (const LinkedFile& link : links)
        if (!link.path.ends_with(".metadata"))
            names.push_back(link.path.substr(link.path.rfind('/') + 1));
    return names;
}

std::int64_t shown_changes(FileTree& tree) {
    constexpr std::size_t line_most = 30;
    constexpr std::int64_t most = std::int64_t{1} << 60;
    const auto look = tree.look(layout::changes);
    if (!look || !look.value()) return 0;
    const auto text = read_whole(tree, layout::changes, line_most);
    if (!text || !text.value().ends_with('\n')) return 0;
    std::int64_t count = 0;
    const char* end = text.value().data() + text.value().size() - 1;
    const auto [read, error] = std::from_chars(text.value().data(), end, count);
    const bool makes_sense = error == std::errc() && read == end && count > 0 && count <= most;
    return makes_sense ? count : 0;
}

std::optional<std::string> why_apart(State& state, std::int64_t shown) {
    // A kill, a power cut and a full disk keep the last ones from being shown.
    constexpr std::int64_t not_shown_most = 5;
    const auto known = state.number(Note::changes);
    const bool knows_nothing =
        !known && !state.number(Note::cursor) && !state.number(Note::root_written);
    if (shown == 0 || knows_nothing) return std::nullopt;
    const std::int64_t recorded = known.value_or(0);
    if (shown <= recorded && recorded - shown <= not_shown_most) return std::nullopt;
    return fmt::format(
        "the {} was put back from a copy: the state knows of {} changes, and {} shows {}",
        shown > recorded ? "state" : "tree", recorded, layout::changes, shown);
}

std::optional<std::string> why_no_tree(State& state, FileTree& tree) {
    const Totals known = state.totals();
    const std::pair<const char*, std::int64_t> parts[] = {{"simple", known.projects},
                                                          {"packages", known.files}};
    for (const auto& [name, expected] : parts) {
        const std::string path = layout::published(name);
        const auto look = must(tree.look(path));
        if (look && look->kind != FileKind::directory)
            return path + ": it is no directory; mount there what it leads to, or move it away";
        if (expected > 0 && !has_any(tree, name))
            return fmt::format(
                "{}: nothing is there, and the state knows of {} in it; mount it, or let `pep381d "
                "verify --repair` fetch them again",
                path, expected);
    }
    return std::nullopt;
}

}  // namespace pep381d
