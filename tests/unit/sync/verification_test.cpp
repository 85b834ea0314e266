// What verifying finds, and what it leaves in peace.
#include "pep381d/sync/verification.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
namespace fs = std::filesystem;

namespace {

struct World : SyncWorld {
    World() {
        publish(foo);
        publish(bar);
        REQUIRE_FALSE(pass());
    }
    // Other names of the same page stay as they are.
    void replace(const std::string& path, const std::string& text) {
        fs::remove(web(path));
        put(path, text);
    }
    fs::path web(const std::string& path) { return directory.path() / "web" / path; }
    std::vector<Finding> found(bool hash = true) { return verify(state, tree, hash); }
};

// As `flaw path`, in order.
std::vector<std::string> told(const std::vector<Finding>& findings) {
    std::vector<std::string> all;
    for (const Finding& finding : findings)
        all.push_back(std::string(name_of(finding.flaw)) + " " + finding.path);
    std::sort(all.begin(), all.end());
    return all;
}

// The process may open so many files more.
struct FewFiles {
    rlimit before{};

    explicit FewFiles(rlim_t more) {
        const Descriptor next(open("/dev/null", O_RDONLY | O_CLOEXEC));
        getrlimit(RLIMIT_NOFILE, &before);
        const rlimit few{static_cast<rlim_t>(next.get()) + more, before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
    }
    ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before); }
};

const std::string wheel_path = *file_path(foo.files[0]);
const std::string sdist_path = *file_path(foo.files[1]);

struct Damage {
    const char* name;
    std::function<void(World&)> make;
    std::string flaw, path;
    bool without_hash = true;  // it is found without hashing
    bool by_hand = false;      // an operator has to mend it
};

// One of each kind.
const std::vector<Damage> damages{
    {"a file is gone", [](World& w) { fs::remove(w.web(wheel_path)); }, "missing", wheel_path},
    {"a .metadata is gone", [](World& w) { fs::remove(w.web(wheel_path + ".metadata")); },
     "missing", wheel_path + ".metadata"},
    {"a file is short", [](World& w) { w.put(sdist_path, "foo"); }, "wrong_size", sdist_path},
    {"a file has other bytes", [](World& w) { w.put(sdist_path, "bar-1.0.tar.gz"); }, "wrong_bytes",
     sdist_path, false},
    {"a .metadata has other bytes", [](World& w) { w.put(wheel_path + ".metadata", "other"); },
     "wrong_bytes", wheel_path + ".metadata", false},
    {"a directory lies where a file belongs",
     [](World& w) {
         fs::remove(w.web(sdist_path));
         fs::create_directory(w.web(sdist_path));
     },
     "wrong_kind", sdist_path},
    {"a link lies where a file belongs",
     [](World& w) {
         fs::rename(w.web(sdist_path), w.directory.path() / "elsewhere");
         fs::create_symlink(w.directory.path() / "elsewhere", w.web(sdist_path));
     },
     "wrong_kind", sdist_path},
    {"a file is not for everybody", [](World& w) { chmod(w.web(sdist_path).c_str(), 0600); },
     "access", sdist_path, true, true},
    {"a page is gone", [](World& w) { fs::remove(w.web("simple/foo/index.v1_json")); }, "missing",
     "simple/foo/index.v1_json"},
    {"a page has other bytes",
     [](World& w) {
         w.replace("simple/foo/index.html", w.bytes("simple/foo/index.html") + "<!-- more -->");
     },
     "wrong_bytes", "simple/foo/index.html"},
    {"a page is torn",
     [](World& w) {
         w.replace("simple/foo/index.v1_html", w.bytes("simple/foo/index.html").substr(0, 100));
     },
     "wrong_bytes", "simple/foo/index.v1_html"},
    {"a page in HTML is huge", [](World& w) { w.make_huge("simple/foo/index.html"); },
     "wrong_bytes", "simple/foo/index.html"},
    {"a page in JSON is huge", [](World& w) { w.make_huge("simple/foo/index.v1_json"); },
     "wrong_bytes", "simple/foo/index.v1_json"},
    {"a page's alias is a copy of it",
     [](World& w) { w.replace("simple/foo/index.v1_html", w.bytes("simple/foo/index.html")); },
     "wrong_kind", "simple/foo/index.v1_html"},
    {"a directory lies where a page belongs",
     [](World& w) {
         fs::remove(w.web("simple/foo/index.html"));
         fs::create_directory(w.web("simple/foo/index.html"));
     },
     "wrong_kind", "simple/foo/index.html"},
    {"a page in one more format", [](World& w) { w.put("simple/foo/index.v2_json", "{}"); },
     "stray", "simple/foo/index.v2_json"},
    {"a page of a project that the state does not know",
     [](World& w) { w.put("simple/other/index.html", "<html>"); }, "stray",
     "simple/other/index.html"},
    {"a file that nothing owns", [](World& w) { w.put("packages/aa/bb/x-1.0.tar.gz", "x"); },
     "stray", "packages/aa/bb/x-1.0.tar.gz"},
    {"a .metadata that nothing owns", [](World& w) { w.put(sdist_path + ".metadata", "x"); },
     "stray", sdist_path + ".metadata"},
    {"an empty directory", [](World& w) { fs::create_directories(w.web("packages/aa/bb")); },
     "stray", "packages/aa/bb"},
    {"an empty directory of a project",
     [](World& w) { fs::create_directories(w.web("simple/other")); }, "stray", "simple/other"},
    {"a link out of the tree",
     [](World& w) { fs::create_directory_symlink("/usr", w.web("packages/usr")); }, "wrong_kind",
     "packages/usr", true, true},
    {"a directory of files is a link to where they are now",
     [](World& w) {
         const std::string directory = fs::path(wheel_path).parent_path().parent_path();
         fs::rename(w.web(directory), w.directory.path() / "moved");
         fs::create_directory_symlink(w.directory.path() / "moved", w.web(directory));
     },
     "wrong_kind", fs::path(wheel_path).parent_path().parent_path(), true, true},
    {"a link among the projects",
     [](World& w) { fs::create_directory_symlink("/usr", w.web("simple/usr")); }, "wrong_kind",
     "simple/usr", true, true},
    {"a pipe", [](World& w) { mkfifo(w.web("packages/pipe").c_str(), 0644); }, "stray",
     "packages/pipe"},
    {"signatures that nobody made", [](World& w) { w.put("serversig/foo", "x"); }, "stray",
     "serversig/foo"},
    {"the root index is gone", [](World& w) { fs::remove(w.web("simple/index.html")); }, "missing",
     "simple/index.html"},
    {"the root index has other bytes",
     [](World& w) {
         std::string text = w.bytes("simple/index.v1_json");
         text.replace(text.find("foo"), 3, "fou");
         w.put("simple/index.v1_json", text);
     },
     "wrong_bytes", "simple/index.v1_json"},
    {"the root index is torn",
     [](World& w) {
         w.replace("simple/index.v1_html", w.bytes("simple/index.html").substr(0, 150));
     },
     "wrong_bytes", "simple/index.v1_html"},
    {"the root index's alias is a copy of it",
     [](World& w) { w.replace("simple/index.v1_html", w.bytes("simple/index.html")); },
     "wrong_kind", "simple/index.v1_html"},
    {"last-modified is ahead", [](World& w) { w.put("last-modified", "20990101T00:00:00\n"); },
     "ahead", "last-modified"},
    {"last-modified is torn", [](World& w) { w.put("last-modified", "2099"); }, "ahead",
     "last-modified"},
    {"last-modified is huge", [](World& w) { w.make_huge("last-modified"); }, "ahead",
     "last-modified"},
    {"something of the operator's", [](World& w) { w.put("robots.txt", "x"); }, "foreign",
     "robots.txt"},
};

}  // namespace

TEST_CASE("after a clean pass verifying finds nothing") {
    World world;
    CHECK(told(world.found()).empty());
}

TEST_CASE("each kind of damage is found, by name, and nothing else") {
    for (const Damage& damage : damages) {
        INFO(damage.name);
        World world;
        damage.make(world);
        const std::vector<std::string> expected{damage.flaw + " web/" + damage.path};
        CHECK(told(world.found()) == expected);
        if (damage.without_hash)
            CHECK(told(world.found(false)) == expected);
        else
            CHECK(told(world.found(false)).empty());
    }
}

TEST_CASE("what lies in staging is named, and is no fault") {
    World world;
    std::ofstream(world.directory.path() / "staging/page-7.html") << "x";
    const auto found = world.found();
    CHECK(told(found) == std::vector<std::string>{"leftover staging/page-7.html"});
    CHECK_FALSE(is_fault(found[0].flaw));
}

TEST_CASE("each kind of damage is mended, but for what an operator has to") {
    for (const Damage& damage : damages) {
        INFO(damage.name);
        World world;
        const std::string page = world.page_of("foo"), root = world.bytes("simple/index.html");
        damage.make(world);
        CHECK(world.repair() == (damage.by_hand ? 1 : 0));
        const auto left = told(world.found());
        if (damage.by_hand || std::string(damage.flaw) == "foreign")
            CHECK(left.size() == 1);
        else
            CHECK(left.empty());
        CHECK(world.page_of("foo") == page);
        CHECK(world.bytes("simple/index.html") == root);
        CHECK(world.bytes(wheel_path) == foo.files[0].name.text());
        CHECK(world.state.pending() == 0);
    }
}

TEST_CASE("a directory in a page's place goes, though the page is about to change") {
    World world;
    const std::string page = "simple/foo/index.html";
    fs::remove(world.web(page));
    const bool full = GENERATE(false, true);
    fs::create_directories(world.web(full ? page + "/a/b" : page));
    if (full) world.put(page + "/a/b/c", "someone's");
    world.publish(foo_without_sdist(9));
    {
        State::Change change(world.state);
        world.state.enqueue(*ProjectName::parse("foo"), "foo", Serial{9}, Loss::files,
                            world.clock.now(), true);
        change.commit();
    }
    CHECK(world.repair() == 0);
    CHECK(fs::is_regular_file(world.web(page)));
    CHECK(told(world.found()).empty());
}

TEST_CASE("a damaged file leaves its page before it is fetched again") {
    World world;
    world.put(sdist_path, "foo");
    world.network.answers.erase(foo.files[1].url);
    CHECK(world.repair() == 0);
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring("foo-1.0.tar.gz"));
    CHECK_FALSE(world.there(sdist_path));
    CHECK(told(world.found()).empty());
    CHECK_FALSE(world.cause_of("foo").empty());

    world.publish(foo);
    world.clock.advance(1h);
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes(sdist_path) == foo.files[1].name.text());
}

TEST_CASE("a damaged file of two projects comes back to both, whichever is mended first") {
    World world;
    const auto shared = sdist("shared-1.0.tar.gz");
    const std::string path = *file_path(shared);
    world.publish(page("one", 8, {shared}));
    world.event("one", "create", 8);
    world.answer_polls();
    REQUIRE_FALSE(world.pass());
    world.put(path, "damaged");
    // The first of them still claims the file.
    world.publish(page("two", 9, {shared}));
    world.event("two", "create", 9);
    world.answer_polls();
    REQUIRE_FALSE(world.pass());
    CHECK(world.bytes(path) == shared.name.text());
    CHECK_THAT(world.page_of("two"), ContainsSubstring("shared-1.0.tar.gz"));
    CHECK(told(world.found()).empty());

    // Nor does one of them take it from the other.
    world.publish(page("two", 10, {}));
    world.event("two", "remove file shared-1.0.tar.gz", 10);
    world.answer_polls();
    REQUIRE_FALSE(world.pass());
    CHECK(world.there(path));
    CHECK(told(world.found()).empty());
}

TEST_CASE("nothing is a stray before the first pass: it may be the tree of a lost state") {
    World world;
    world.put("packages/aa/stray", "x");
    world.put("simple/gone/index.html", "x");
    const auto before = world.bytes(sdist_path);
    State fresh(world.directory.path() / "fresh.db", State::Access::write);
    for (const Finding& finding : verify(fresh, world.tree, true))
        CHECK(finding.flaw != Flaw::stray);
    CHECK(told(world.found()) == std::vector<std::string>{"stray web/packages/aa/stray",
                                                          "stray web/simple/gone/index.html"});
}

TEST_CASE("a stray goes when somebody asks for that, and not where removed projects are kept") {
    World world;
    world.put("packages/aa/stray", "x");
    SECTION("run tells of it") {
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, true);
        ScrubPolicy scrub;
        scrub.interval = 24h;
        committer.verify(std::move(scrub));
        committer.start([] {});
        while (committer.scrub_counters()->found == 0) std::this_thread::yield();
        committer.stop();
        committer.check();
        CHECK(committer.scrub_counters()->not_mended == 1);
        CHECK(world.there("packages/aa/stray"));
    }
    SECTION("verify --repair removes it") {
        const bool keep = GENERATE(false, true);
        world.policy.keep_deleted = keep;
        CHECK(world.repair() == (keep ? 1 : 0));
        CHECK(world.there("packages/aa/stray") == keep);
    }
}

TEST_CASE("where no more files can be opened, that is no fault of theirs") {
    World world;
    int in_vain = 0;
    const auto look = [&](rlim_t more) {
        const FewFiles few(more);
        return world.found();
    };
    for (rlim_t more = 0; more < 100; ++more) {
        try {
            const auto found = told(look(more));
            CHECK(found.empty());
            break;
        } catch (const Fatal& end) {
            ++in_vain;
            CHECK(end.exit_status() == 5);
            CHECK_THAT(end.what(), ContainsSubstring("the limit of open files (ulimit -n)"));
        }
    }
    CHECK(in_vain > 2);
}

TEST_CASE("a last-modified that is gone comes back with the next pass") {
    World world;
    const std::string before = world.bytes("last-modified");
    fs::remove(world.web("last-modified"));
    CHECK(world.repair() == 0);
    CHECK(world.bytes("last-modified") == before);
}

TEST_CASE("what a kill in the middle of a pass leaves is no fault, unless a link is dead") {
    World world;
    auto newer = foo;
    newer.serial = Serial{9};
    newer.files.push_back(sdist("foo-2.0.tar.gz"));
    for (File& file : newer.files) {
        file.path = *file_path(file);
        file.held = true;
        file.metadata_held = file.core_metadata.offered;
    }
    {
        State::Change change(world.state);
        world.state.enqueue(foo.name, "foo", Serial{9}, Loss::nothing, world.clock.now(), true);
        world.state.intend(foo.name, newer.files[2].path);
        change.commit();
    }
    world.put(newer.files[2].path, "foo-2.0.tar.gz");
    world.replace("simple/foo/index.html", project_html(newer));
    CHECK(told(world.found()).empty());
    world.replace("simple/foo/index.v1_json", project_json(newer));
    CHECK(told(world.found()).empty());

    SECTION("the file is short") {
        world.put(newer.files[2].path, "foo-2");
    }
    SECTION("the file is gone") {
        world.replace(newer.files[2].path, "no such file");
    }
    SECTION("the page is huge") {
        world.make_huge("simple/foo/index.html");
        CHECK_THAT(world.found().at(0).cause, ContainsSubstring("1099511627776 bytes"));
    }
    SECTION("the page is torn") {
        world.replace("simple/foo/index.html", project_html(newer).substr(0, 300));
    }
    CHECK_FALSE(told(world.found()).empty());
}

TEST_CASE("a stray that cannot be removed is told, and ends nothing") {
    World world;
    std::string deep = "packages";
    for (int level = 0; level < 600; ++level) deep += "/d";
    fs::create_directories(world.web(deep));
    CHECK(world.repair() == 1);
    CHECK(world.there(deep));
    world.publish(foo);
    CHECK_FALSE(world.pass());
}
