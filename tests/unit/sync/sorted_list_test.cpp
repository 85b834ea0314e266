#include "pep381d/sync/sorted_list.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "pep381d/tree/directory_tree.h"

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

struct World {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};
};

void add(SortedList& list, const std::string& raw, std::int64_t serial) {
    list.add(*ProjectName::parse(raw), raw, Serial{serial});
}

std::vector<ListedProject> all(SortedList& list) {
    std::vector<ListedProject> projects;
    for (ListedProject project; list.next(project);) projects.push_back(project);
    return projects;
}

}  // namespace

TEST_CASE("names in any order come in order, each once, with its highest serial") {
    // From one run in memory to a hundred on disk.
    const std::size_t run_bytes =
        GENERATE(std::size_t{1} << 20, std::size_t{20'000}, std::size_t{1500});
    World world;
    std::vector<std::pair<std::string, std::int64_t>> raws;
    for (int i = 0; i < 2000; ++i) raws.emplace_back("Common_Prefix-" + std::to_string(i), i);
    for (int i = 0; i < 2000; i += 7)
        raws.emplace_back("common.prefix." + std::to_string(i), i - 1);
    for (int i = 0; i < 2000; i += 5)
        raws.emplace_back("common-prefix-" + std::to_string(i), i + 1);
    for (const char* odd : {"a", "A-b", "a0", "commonpr", "common-p", "z"})
        raws.emplace_back(odd, 1);
    raws.emplace_back(std::string(247, 'X'), 9);
    std::shuffle(raws.begin(), raws.end(), std::mt19937(GENERATE(1U, 2U)));

    SortedList list(world.tree, run_bytes);
    for (const auto& [raw, serial] : raws) add(list, raw, serial);
    const auto projects = all(list);
    REQUIRE(projects.size() == 2007);
    CHECK(std::is_sorted(projects.begin(), projects.end(),
                         [](const auto& a, const auto& b) { return a.name < b.name; }));
    const auto display_of = [&](const std::string& name) {
        const auto found = std::find_if(projects.begin(), projects.end(),
                                        [&](const auto& project) { return project.name == name; });
        return found == projects.end() ? std::string("missing")
                                       : found->display + " " + std::to_string(found->serial.value);
    };
    CHECK(display_of("common-prefix-10") == "common-prefix-10 11");
    CHECK(display_of("common-prefix-7") == "Common_Prefix-7 7");
    CHECK(display_of("a-b") == "A-b 1");
    CHECK(display_of(std::string(247, 'x')) == std::string(247, 'X') + " 9");
}

TEST_CASE("a list without names has nothing to give") {
    World world;
    SortedList list(world.tree);
    CHECK(all(list).empty());
}

TEST_CASE("a list that is given up, at its end or before, leaves nothing in staging") {
    World world;
    {
        SortedList list(world.tree, 600);
        for (int i = 0; i < 100; ++i) add(list, "name-" + std::to_string(i), i);
        CHECK_FALSE(std::filesystem::is_empty(world.directory.path() / "staging"));
        ListedProject first;
        if (GENERATE(false, true)) CHECK(list.next(first));
    }
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
}
