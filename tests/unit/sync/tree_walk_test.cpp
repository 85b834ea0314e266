// How a walk over the tree is cut into parts; what it finds is in verification_test.
#include "pep381d/sync/tree_walk.h"

#include <algorithm>

#include "pep381d/sync/examiners.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
namespace fs = std::filesystem;

namespace {

constexpr int files = 40;

// A project with files in as many directories.
struct World : SyncWorld {
    World() {
        auto many = page("many", 5, {});
        for (int i = 0; i < files; ++i)
            many.files.push_back(sdist("many-" + std::to_string(i) + ".tar.gz"));
        publish(many);
        event("many", "create", 5);
        answer_polls();
        REQUIRE_FALSE(pass());
        for (const File& file : many.files) paths.push_back(*file_path(file));
    }
    std::vector<std::string> paths;

    // The paths of all findings, in order, and as often as they were found.
    std::vector<std::string> strays(std::size_t places_most) {
        TreeWalk walk(state, tree, {}, false, places_most);
        while (!walk.ended()) walk.go_on(7);
        return sorted(walk.take());
    }
    std::vector<std::string> strays_by_others() {
        TreeWalk walk(state, tree, {}, true);
        Examiners examiners(3);
        while (!walk.ended()) {
            const bool waits = walk.go_on(50) == 0;
            for (auto& part : walk.take_walks()) examiners.start(std::move(part));
            for (auto& work : examiners.reap(waits))
                walk.take_back(std::move(std::get<std::unique_ptr<PackageWalk>>(work)));
        }
        return sorted(walk.take());
    }
    static std::vector<std::string> sorted(const std::vector<Finding>& findings) {
        std::vector<std::string> all;
        for (const Finding& finding : findings) all.push_back(finding.path);
        std::sort(all.begin(), all.end());
        return all;
    }
};

}  // namespace

TEST_CASE("a walk over a tree in many parts visits each place once") {
    World world;
    const auto first = world.paths.front();
    const auto beside = first.substr(0, first.rfind('/')) + "/stray";
    world.put(beside, "x");
    world.put("packages/stray", "x");
    fs::create_directories(world.directory.path() / "web/packages/zz/empty");
    const std::vector<std::string> expected{"web/" + beside, "web/packages/stray",
                                            "web/packages/zz/empty"};
    auto in_order = expected;
    std::sort(in_order.begin(), in_order.end());
    for (const std::size_t places : {1U, 5U, 16U, 1'000U}) {
        INFO(places);
        CHECK(world.strays(places) == in_order);
    }
    CHECK(world.strays_by_others() == in_order);
}

TEST_CASE("many strays in one directory are all found") {
    World world;
    std::vector<std::string> expected;
    for (int i = 0; i < 1'200; ++i) {
        const std::string path = "packages/aa/" + std::to_string(i);
        world.put(path, "x");
        expected.push_back("web/" + path);
    }
    std::sort(expected.begin(), expected.end());
    CHECK(world.strays(1'000) == expected);
    CHECK(world.strays_by_others() == expected);
}

TEST_CASE("a file that comes while others walk is no stray") {
    World world;
    TreeWalk walk(world.state, world.tree, {}, true);
    std::vector<std::unique_ptr<PackageWalk>> parts;
    while (walk.go_on(50) > 0)
        for (auto& part : walk.take_walks()) parts.push_back(std::move(part));

    auto newer = page("many", 6, {});
    newer.files.push_back(sdist("named-otherwise.tar.gz"));
    world.publish(newer);
    world.event("many", "remove release", 6);
    world.answer_polls();
    REQUIRE_FALSE(world.pass());
    const std::string gone = world.paths.front();
    REQUIRE(!world.there(gone));

    for (auto& part : parts) {
        while (!part->ended()) part->go_on(1);
        walk.take_back(std::move(part));
    }
    while (!walk.ended()) walk.go_on(50);
    CHECK(World::sorted(walk.take()).empty());
}
