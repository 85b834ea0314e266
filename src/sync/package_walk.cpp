#include "pep381d/sync/package_walk.h"

#include "pep381d/sync/finding.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

// Each level keeps a directory open. PyPI's paths have 5.
constexpr std::size_t levels_most = 200;

}  // namespace

PackageWalk::PackageWalk(FileTree& tree, std::shared_ptr<const HeldPlaces> held,
                         const std::string& path)
    : tree_(tree), held_(std::move(held)) {
    enter(path, tree_.list(path));
}

std::size_t PackageWalk::go_on(std::size_t most) {
    std::size_t done = 0;
    for (; done < most && !ended() && !waits(); ++done) {
        auto entry = open_.back().listing->next();
        if (!entry) {
            cannot_read(std::move(open_.back().path), cause_of(entry.failure()));
            open_.pop_back();
            continue;
        }
        if (!entry.value()) {
            leave();
            continue;
        }
        open_.back().empty = false;
        const std::string& name = entry.value()->name;
        std::string path = open_.back().path + "/" + name;
        if (entry.value()->kind == FileKind::directory)
            enter(std::move(path), open_.back().listing->enter(name));
        else if (!held_->contains(layout::below_web(path)))
            seen_.push_back({What::not_held, std::move(path), entry.value()->kind, {}});
    }
    return done;
}

void PackageWalk::enter(std::string path, Outcome<std::unique_ptr<Listing>> listing) {
    if (open_.size() >= levels_most) {
        seen_.push_back({What::too_deep, std::move(path), FileKind::directory, {}});
        return;
    }
    if (listing) {
        open_.push_back({std::move(path), std::move(listing).value()});
        return;
    }
    cannot_read(std::move(path), cause_of(listing.failure()));
}

void PackageWalk::cannot_read(std::string path, std::string cause) {
    // It may have gone meanwhile.
    const auto look = tree_.look(path);
    if (!look || look.value())
        seen_.push_back({What::unreadable, std::move(path), FileKind::directory, std::move(cause)});
}

void PackageWalk::leave() {
    if (open_.back().empty)
        seen_.push_back(
            {What::empty_directory, std::move(open_.back().path), FileKind::directory, {}});
    open_.pop_back();
}

}  // namespace pep381d
