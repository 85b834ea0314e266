#include "pep381d/sync/page_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "pep381d/pages/project_page.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

std::optional<std::int64_t> new_mtime(FileTree& tree, const Clock& clock, const std::string& path) {
    const auto old = must(tree.look(path));
    if (!old) return std::nullopt;
    const auto now =
        std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
    return std::max(now, old->mtime + 1);
}

PageText page_text(const Policy& policy, const ProjectPage& page) {
    PageText text;
    if (policy.html) text.html = project_html(page);
    if (policy.json) text.json = project_json(page);
    return text;
}

StagedPage stage_page(FileTree& tree, const Policy& policy, const Clock& clock,
                      const ProjectName& project, const PageText& text, const std::string& name,
                      bool replaces) {
    StagedPage staged{layout::staged(name), {}};
    const std::string to = layout::published(layout::page_directory(project));
    must(tree.make_directory(staged.directory));
    const auto stage = [&](const std::string& file_name, const std::string& bytes) {
        Descriptor file = must(tree.create(staged.directory + "/" + file_name));
        must(tree.write(file, bytes));
        must(tree.finish(std::move(file),
                         replaces ? new_mtime(tree, clock, to + "/" + file_name) : std::nullopt,
                         false));
        staged.names.push_back(file_name);
    };
    if (policy.html) {
        stage(layout::html_name, text.html);
        must(tree.link(staged.directory + "/" + layout::html_name,
                       staged.directory + "/" + layout::v1_html_name));
        staged.names.push_back(layout::v1_html_name);
    }
    if (policy.json) stage(layout::json_name, text.json);
    return staged;
}

void place_page(FileTree& tree, const StagedPage& staged, const ProjectName& project) {
    const std::string to = layout::published(layout::page_directory(project));
    if (must(tree.place(staged.directory, to))) return;
    for (const std::string& name : staged.names)
        must(tree.rename(fmt::format("{}/{}", staged.directory, name),
                         fmt::format("{}/{}", to, name)));
    must(tree.remove_directory(staged.directory));
}

}  // namespace pep381d
