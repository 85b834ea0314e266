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
    if (policy.signer) text.signatures = policy.signer->sign(text.html);
    if (policy.json) text.json = project_json(page);
    return text;
}

PageText copied_text(const Policy& policy, const ProjectPage& page, std::string html,
                     const std::string& signature) {
    PageText text;
    text.html = std::move(html);
    if (policy.json) text.json = project_json(page);
    if (signature.empty()) return text;
    std::promise<Signatures> ready;
    ready.set_value({signature, {}});
    text.signatures = ready.get_future().share();
    return text;
}

namespace {

// `place`: of the file that it replaces, if it does.
void stage_file(FileTree& tree, const Clock& clock, const std::string& path,
                const std::string& place, const std::string& bytes, bool replaces) {
    must(write_file(tree, path, bytes, replaces ? new_mtime(tree, clock, place) : std::nullopt));
}

}  // namespace

StagedPage stage_page(FileTree& tree, const Policy& policy, const Clock& clock,
                      const ProjectName& project, const PageText& text, const std::string& name,
                      bool replaces) {
    StagedPage staged{layout::staged(name), {}, replaces, text.signatures, {}, false};
    // Of our own pages the next start signs what a kill has parted; the master may be away.
    staged.unsigned_first = policy.copy && !text.html.empty();
    const std::string to = layout::published(layout::page_directory(project));
    must(tree.make_directory(staged.directory));
    const auto stage = [&](const std::string& file_name, const std::string& bytes) {
        stage_file(tree, clock, staged.directory + "/" + file_name, to + "/" + file_name, bytes,
                   replaces);
        staged.names.push_back(file_name);
    };
    // The HTML last: its signatures follow it.
    if (policy.json) stage(layout::json_name, text.json);
    if (policy.html && !text.html.empty()) {
        stage(layout::html_name, text.html);
        must(tree.link(staged.directory + "/" + layout::html_name,
                       staged.directory + "/" + layout::v1_html_name));
        staged.names.push_back(layout::v1_html_name);
    }
    return staged;
}

void stage_signatures(FileTree& tree, const Clock& clock, const ProjectName& project,
                      StagedPage& staged) {
    if (!staged.signing.valid()) return;
    const Signatures& signatures = staged.signing.get();
    const auto stage = [&](const std::string& path, const std::string& below_web,
                           const std::string& bytes) {
        const std::string place = layout::published(below_web);
        stage_file(tree, clock, path, place, bytes, staged.replaces);
        staged.signatures.emplace_back(path, place);
    };
    stage(staged.directory + ".dsa", layout::signature(project), signatures.dsa);
    if (!signatures.ed25519.empty())
        stage(staged.directory + ".ed25519", layout::signature_ed25519(project),
              signatures.ed25519);
}

Done place_page(FileTree& tree, const StagedPage& staged, const ProjectName& project) {
    const std::string to = layout::published(layout::page_directory(project));
    Done all = Nothing{};
    const auto take = [&all](const Done& step) {
        if (step || step.failure().fault != Fault::refused)
            must(step);
        else if (all)
            all = step.failure();
    };
    if (staged.unsigned_first) take(tree.remove(layout::published(layout::signature(project))));
    const auto placed = tree.place(staged.directory, to);
    if (!placed && placed.failure().fault == Fault::refused) return placed.failure();
    bool is_there = true;  // what the signatures are of
    if (!must(placed))
        for (const std::string& name : staged.names) {
            const Done renamed = tree.rename(fmt::format("{}/{}", staged.directory, name),
                                             fmt::format("{}/{}", to, name));
            take(renamed);
            if (!renamed && name == layout::html_name) is_there = false;
        }
    if (is_there)
        for (const auto& [from, place] : staged.signatures) take(tree.rename(from, place));
    if (all && !placed.value()) must(tree.remove_directory(staged.directory));
    return all;
}

void discard_page(FileTree& tree, const StagedPage& staged) {
    must(tree.remove_directory(staged.directory));
    for (const auto& [from, place] : staged.signatures) must(tree.remove(from));
}

}  // namespace pep381d
