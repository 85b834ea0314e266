#include "pep381d/app/adopt.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "pep381d/state/damage.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/adoption.h"
#include "pep381d/tree/directory_tree.h"

namespace pep381d {

namespace {

namespace fs = std::filesystem;

// Under another name, for whoever wants to know what happened to it. Nothing is overwritten.
std::string set_aside(const std::string& path) {
    std::string aside = path + ".damaged";
    for (int number = 2; fs::exists(aside); ++number)
        aside = fmt::format("{}.damaged-{}", path, number);
    for (const char* suffix : {"", "-wal", "-shm", "-journal"})
        if (fs::exists(path + suffix)) fs::rename(path + suffix, aside + suffix);
    return aside;
}

// What it was set aside as; empty: there is none, or it can go on.
std::string make_way(const std::string& path, bool files_to_come) {
    if (!fs::exists(path)) return {};
    try {
        State state(path, State::Access::write);
        if (state.whole()) {
            if (files_to_come && state.files_may_be_unknown()) return {};
            throw Fatal(5,
                        fmt::format("state {}: it is whole and knows its files; to begin a new one "
                                    "all the same, move it away",
                                    path));
        }
    } catch (const StateDamaged&) {
        // Told by the name that it gets.
    }
    return set_aside(path);
}

}  // namespace

void adopt(const Config& config, const std::string& from, Log& log) {
    if (!from.empty() && is_within(from, config.mirror_directory))
        throw Fatal(
            5, fmt::format("{}: it is this mirror itself; run `pep381d adopt` without it", from));
    DirectoryTree tree(config.mirror_directory);
    const std::string aside = make_way(config.state_file, !from.empty());
    if (!aside.empty())
        std::printf("%s is damaged, it is now %s\n", config.state_file.c_str(), aside.c_str());
    if (!from.empty()) {
        const Adopted adopted = adopt_files(tree, from, log);
        std::printf("%lld files taken over, %lld were there already, %lld left out\n",
                    static_cast<long long>(adopted.taken), static_cast<long long>(adopted.there),
                    static_cast<long long>(adopted.ignored));
    }
    std::puts(
        "the next `pep381d sync` reads all pages at the master, and fetches only the files that "
        "do not lie here");
}

}  // namespace pep381d
