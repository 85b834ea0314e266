#include "pep381d/sync/root_files.h"

#include <string>
#include <string_view>

#include "pep381d/pages/root_index.h"
#include "pep381d/sync/page_files.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

namespace {

const std::string staged_html = layout::staged("root.html");
const std::string staged_v1_html = layout::staged("root.v1_html");
const std::string staged_json = layout::staged("root.json");

// Its page is that of a state that was lost, and stays until it is read again.
bool is_of_before(State& state, FileTree& tree, const Policy& policy, const ProjectName& queued) {
    const auto there = [&](const std::string& page) {
        const auto look = must(tree.look(layout::published(page)));
        return look && look->kind == FileKind::file;
    };
    return (!policy.html || there(layout::page_html(queued))) &&
           (!policy.json || there(layout::page_json(queued))) &&
           !state.awaits_below("simple/" + queued.text());
}

// `place`: of the file that it replaces.
void finish(FileTree& tree, const Clock& clock, Descriptor file, const std::string& place) {
    must(tree.finish(std::move(file), new_mtime(tree, clock, place), true));
}

}  // namespace

std::int64_t stage_root(State& state, FileTree& tree, const Policy& policy, const Clock& clock) {
    constexpr std::size_t chunk = 256 * 1024;
    const std::int64_t changes = state.number(Note::root_changes).value_or(0);
    const Serial serial{state.number(Note::cursor).value_or(0)};
    std::string html, json;
    Descriptor html_file = policy.html ? must(tree.create(staged_html)) : Descriptor();
    Descriptor json_file = policy.json ? must(tree.create(staged_json)) : Descriptor();
    const auto spill = [&](const Descriptor& file, std::string& text, std::size_t least) {
        if (text.size() < least) return;
        if (file) must(tree.write(file, text));
        text.clear();
    };

    begin_root_html(html);
    begin_root_json(json, serial);
    bool first = true;
    const auto add = [&](std::string_view name, std::string_view display, Serial shown) {
        const RootEntry entry{name, display, shown};
        if (policy.html) add_root_html(html, entry);
        if (policy.json) add_root_json(json, entry, first);
        first = false;
        spill(html_file, html, chunk);
        spill(json_file, json, chunk);
    };
    if (state.number(Note::older_tree))
        state.for_each_listed(add, [&](const ProjectName& queued) {
            return is_of_before(state, tree, policy, queued);
        });
    else
        state.for_each_listed(add);
    end_root_html(html, serial);
    end_root_json(json);
    spill(html_file, html, 1);
    spill(json_file, json, 1);

    if (policy.html) finish(tree, clock, std::move(html_file), layout::root_html);
    if (policy.html) must(tree.link(staged_html, staged_v1_html));
    if (policy.json) finish(tree, clock, std::move(json_file), layout::root_json);
    return changes;
}

void place_root(FileTree& tree, const Policy& policy) {
    if (policy.html) {
        must(tree.rename(staged_html, layout::root_html));
        must(tree.rename(staged_v1_html, layout::root_v1_html));
    }
    if (policy.json) must(tree.rename(staged_json, layout::root_json));
    remove_unwanted_root(tree, policy);
}

void remove_unwanted_root(FileTree& tree, const Policy& policy) {
    if (!policy.html) {
        must(tree.remove(layout::root_html));
        must(tree.remove(layout::root_v1_html));
    }
    if (!policy.json) must(tree.remove(layout::root_json));
}

}  // namespace pep381d
