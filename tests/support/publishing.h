// A publisher beside a mirror that has foo, and what is added to it by hand.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "pep381d/sync/publisher.h"
#include "pep381d/tree/layout.h"

#include "support/catch.h"
#include "support/sync_world.h"

namespace sample {

using namespace pep381d;

struct Publishing : SyncWorld {
    int next_ = 0;
    std::vector<std::string> recorded, failed;
    std::chrono::milliseconds wait{};  // of the last one that failed
    Publisher publisher{
        state, tree, policy, clock, [this](const PageReady& page, const Replaced&) {
            for (const Refused& refused : page.refused)
                recorded.push_back(page.page.name.text() + " without " + refused.file);
            recorded.push_back(page.page.name.text());
            if (!page.failure || !page.same) return;
            failed.push_back(page.page.name.text());
            wait = page.failure->wait;
        }};

    // What `foo` names at the path of its wheel is there, and recorded.
    Publishing() {
        publish(foo);
        REQUIRE_FALSE(pass());
    }
    PageReady staged(ProjectPage page) {
        PageReady ready{std::move(page)};
        ready.display = ready.page.name.text();
        ready.staged = stage_page(tree, policy, clock, ready.page.name,
                                  page_text(policy, ready.page), "ready-0", ready.replaces);
        return ready;
    }
    // Another file of the same path, as it has arrived.
    FileArrived arrived(const ProjectName& project, File& file,
                        const std::string& text = "other bytes") {
        const std::string path = layout::staged("other-" + std::to_string(next_++));
        Descriptor open = tree.create(path).value();
        REQUIRE(tree.write(open, text));
        REQUIRE(tree.finish(std::move(open), {}, false));
        file.held = true;
        return {project, project.text(), file, false, path, {}, false};
    }
};

// A project whose one file has the path of foo's wheel, and other bytes.
inline ProjectPage rival() {
    ProjectPage rival = page("rival", 8, {wheel("foo-1.0-py3-none-any.whl")});
    File& file = rival.files.front();
    file.path = *file_path(file);
    file.digests = {{Algorithm::sha256, sha256("other bytes")}};
    file.size = 11;
    return rival;
}

}  // namespace sample
