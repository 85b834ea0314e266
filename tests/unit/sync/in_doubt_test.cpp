// Files that a killed run has left in their places, or was about to put there.
#include <limits>

#include "pep381d/sync/repairs.h"
#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/catch.h"
#include "support/faults/memory_tree.h"
#include "support/publishing.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

struct Killed : SyncWorld {
    const std::string path = *file_path(foo.files[0]);

    Killed() {
        publish(foo);
        publish(bar);
        REQUIRE_FALSE(pass());
        network.asked.clear();
    }
    // A run was about to put something in these places, or had done so.
    void kill_at(const std::vector<std::string>& paths) {
        State::Change change(state);
        for (const std::string& one : paths) state.intend(foo.name, one);
        change.commit();
    }
    // A run has put this page of the master's in place, and its files, and was killed before the
    // record.
    void kill_at_page(const ProjectPage& page) {
        std::vector<std::string> paths;
        for (const File& file : page.files) {
            paths.push_back(*file_path(file));
            put(paths.back(), file.name.text());
        }
        kill_at(paths);
        for (const char* format : {"index.v1_json", "index.html", "index.v1_html"})
            put(std::string("simple/foo/") + format, project_json(page));
        State::Change change(state);
        state.intend_page(foo.name);
        change.commit();
    }
    // Other bytes than before for the wheel.
    ProjectPage with_another_wheel() const {
        ProjectPage other = page("foo", 9, foo.files);
        other.files[0].digests = {{Algorithm::sha256, std::string(32, 'x')}};
        return other;
    }
    bool shows_wheel() { return names(to_hex(foo.files[0].digests[0].bytes)); }
    void keep_what_goes() { policy.keep_deleted = policy.page.keep = true; }
    void come_to_rest() {
        for (int tries = 0; tries < 3; ++tries) {
            REQUIRE_FALSE(pass());
            clock.advance(2h);
        }
        CHECK(left == 0);
        CHECK(state.intended().empty());
        CHECK(verify(state, tree, true).empty());
    }
    bool names(const std::string& file) { return page_of("foo").find(file) != std::string::npos; }
};

}  // namespace

TEST_CASE("what a killed run has put in place goes with the next look at a page without it") {
    Killed world;
    const std::string other = "packages/aa/foo-9.0.tar.gz";
    world.put(other, "of a release that the master has withdrawn");
    world.kill_at({other});
    {
        State::Change change(world.state);
        world.state.enqueue(foo.name, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
        change.commit();
    }
    world.come_to_rest();
    CHECK_FALSE(world.there(other));
}

TEST_CASE("what a killed run has put in place goes though the page's other files cannot be had") {
    Killed world;
    const std::string other = "packages/aa/foo-9.0.tar.gz";
    world.put(other, "of a release that the master has withdrawn");
    world.kill_at({other});
    auto more = foo;
    more.serial = Serial{9};
    for (int i = 0; i < 40; ++i) more.files.push_back(sdist("foo-0." + std::to_string(i) + ".zip"));
    world.publish(more);
    for (std::size_t i = foo.files.size(); i < more.files.size(); ++i)
        world.network.fail(more.files[i].url, Fault::retry_later, "HTTP 503");
    world.event("foo", "remove file", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 1);
    CHECK_FALSE(world.there(other));
    CHECK(world.state.intended().empty());
}

TEST_CASE("what lies whole where a killed run was about to put something needs no host") {
    Killed world;
    if (GENERATE(false, true)) world.keep_what_goes();
    world.kill_at({world.path, layout::metadata(world.path)});
    // None of the others can be had, so that their host is given up.
    auto more = foo;
    more.serial = Serial{9};
    for (int i = 0; i < 40; ++i)
        more.files.insert(more.files.begin(), sdist("foo-0." + std::to_string(i) + ".tar.gz"));
    world.publish(more);
    for (int i = 0; i < 40; ++i)
        world.network.fail(more.files[static_cast<std::size_t>(i)].url, Fault::retry_later,
                           "HTTP 503");
    world.event("foo", "add source file", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 1);
    CHECK(world.names(foo.files[0].name.text()));
    CHECK(world.there(world.path));
    CHECK(world.network.asked[foo.files[0].url] == 0);
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("what a killed run has put back is flushed before it is believed") {
    Publishing world;
    const std::string path = *file_path(foo.files[0]), lying = layout::published(path);
    {
        State::Change change(world.state);
        world.state.intend(foo.name, path);
        change.commit();
    }
    constexpr faults::Volume::Loss everything{faults::Volume::Damage::everything, 0, 0};
    faults::Volume disk;
    faults::Volume::write(*disk.create(lying), 0, world.bytes(path));
    REQUIRE_FALSE(disk.after(everything).find(lying));
    faults::Fate well;
    faults::MemoryTree tree(disk, well);
    Repairs repairs(
        world.state, tree, world.publisher, world.clock, [](const ProjectName&) { return false; },
        [](const ProjectName&) {});
    repairs.take_up();
    CHECK(world.state.in_doubt(foo.name).empty());
    CHECK(disk.after(everything).find(lying));
}

TEST_CASE("a page of the master's that fails leaves nothing on ours that is not there") {
    Killed world;
    world.put(world.path, "other bytes");
    world.kill_at({world.path});
    const auto well = world.network.answers.at(ScriptedMaster::url(foo));
    SECTION("when it answers with an error") {
        world.network.fail(ScriptedMaster::url(foo), Fault::retry_later, "HTTP 503");
    }
    SECTION("when it is gone and nothing says why") {
        world.network.answers.erase(ScriptedMaster::url(foo));
    }
    SECTION("when it has lost a file and nothing says why") {
        world.publish(page("foo", 9, {foo.files[0]}));
    }
    world.event("foo", "add py3 file x", 9);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 1);
    CHECK_FALSE(world.names(foo.files[0].name.text()));
    CHECK(world.names(foo.files[1].name.text()));
    CHECK(verify(world.state, world.tree, true).empty());

    world.network.answers[ScriptedMaster::url(foo)] = well;
    world.publish(page("foo", 10, foo.files));
    world.event("foo", "add py3 file x", 10);
    world.clock.advance(2h);
    world.come_to_rest();
    CHECK(world.names(foo.files[0].name.text()));
    CHECK(world.network.asked[foo.files[1].url] == 0);
}

TEST_CASE("what a killed run has brought anew outlives a page that fails once") {
    Killed world;
    File more = sdist("foo-3.0.tar.gz");
    auto fresh = page("foo", 9, {foo.files[0], foo.files[1], more});
    const std::string bytes = "other bytes";
    fresh.files[0].digests = {{Algorithm::sha256, sha256(bytes)}};
    fresh.files[0].size = static_cast<std::int64_t>(bytes.size());
    world.publish(fresh);
    world.put(world.path, bytes);
    world.put(*file_path(more), more.name.text());
    world.kill_at({world.path, *file_path(more)});
    world.event("foo", "add py3 file x", 9);
    const auto well = world.network.answers.at(ScriptedMaster::url(foo));
    world.network.fail(ScriptedMaster::url(foo), Fault::retry_later, "HTTP 503");
    REQUIRE_FALSE(world.pass());
    CHECK(world.there(*file_path(more)));
    CHECK_FALSE(world.names(foo.files[0].name.text()));
    world.network.answers[ScriptedMaster::url(foo)] = well;
    world.clock.advance(2h);
    world.come_to_rest();
    CHECK(world.names(more.name.text()));
    CHECK(world.names(foo.files[0].name.text()));
    CHECK(world.network.asked[more.url] == 0);
    CHECK(world.network.asked[foo.files[0].url] == 0);
}

TEST_CASE("a removal that is held back leaves nothing on the page that is not there") {
    Killed world;
    world.policy.max_deleted_fraction = 0;
    world.put(world.path, "other bytes");
    for (int i = 0; i < 12; ++i) world.publish(page("more-" + std::to_string(i), 20 + i, {}));
    for (int i = 0; i < 12; ++i) world.event("more-" + std::to_string(i), "create", 20 + i);
    REQUIRE_FALSE(world.pass());
    world.kill_at({world.path});
    std::int64_t serial = 40;
    for (auto listed = world.listed.begin(); listed != world.listed.end();) {
        const std::string name = listed++->first;
        if (name == bar.name.text()) continue;
        world.network.answers.erase(ScriptedMaster::url(page(name, 0, {})));
        world.listed.erase(name);
        world.event(name, "remove project", ++serial);
    }
    for (int tries = 0; tries < 2; ++tries) {
        REQUIRE_FALSE(world.pass());
        world.clock.advance(2h);
    }
    CHECK(world.left == 13);
    CHECK_FALSE(world.names(foo.files[0].name.text()));
    CHECK(world.names(foo.files[1].name.text()));
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("a repair of something else forgets no doubt") {
    Killed world;
    auto unproven = page("foo", 9, foo.files);
    unproven.files[0].digests.clear();
    world.publish(unproven);
    world.event("foo", "add py3 file x", 9);
    REQUIRE_FALSE(world.pass());
    world.put(world.path, "other bytes");
    std::filesystem::resize_file(world.directory.path() / "web" / world.path,
                                 static_cast<std::uintmax_t>(*foo.files[0].size));
    world.kill_at({world.path});
    world.network.fail(ScriptedMaster::url(foo), Fault::retry_later, "HTTP 503");
    std::filesystem::remove(world.directory.path() / "web" / *file_path(foo.files[1]));
    CHECK(world.repair() == 0);
    CHECK_FALSE(world.names(foo.files[0].name.text()));
    CHECK_FALSE(world.names(foo.files[1].name.text()));
}

TEST_CASE("what a killed run has brought anew for a project that is kept goes") {
    Killed world;
    world.keep_what_goes();
    const bool replaced = GENERATE(false, true);
    const std::string more = *file_path(sdist("foo-3.0.tar.gz"));
    world.put(more, "of a release that the master has withdrawn");
    if (replaced) world.put(world.path, "other bytes");
    world.kill_at({world.path, more});
    world.network.answers.erase(ScriptedMaster::url(foo));
    world.listed.erase("foo");
    world.event("foo", "remove project", 9);
    world.come_to_rest();
    CHECK_FALSE(world.there(more));
    CHECK(world.names(foo.files[0].name.text()) == !replaced);
    CHECK(world.names(foo.files[1].name.text()));
}

TEST_CASE("of what is kept only what a killed run has not replaced is") {
    Killed world;
    world.keep_what_goes();
    const bool project = GENERATE(false, true), replaced = GENERATE(false, true);
    if (replaced) world.put(world.path, "other bytes");
    world.kill_at({world.path});
    if (project) {
        world.network.answers.erase(ScriptedMaster::url(foo));
        world.listed.erase("foo");
        world.event("foo", "remove project", 9);
    } else {
        world.publish(page("foo", 9, {foo.files[1]}));
        world.event("foo", "remove file", 9);
    }
    world.come_to_rest();
    CHECK(world.names(foo.files[0].name.text()) == !replaced);
    CHECK(world.there(world.path) == !replaced);
    CHECK(world.names(foo.files[1].name.text()));
    CHECK(world.network.asked[foo.files[0].url] == 0);
}

TEST_CASE("a page that a killed run has placed names nothing any more that went with it") {
    Killed world;
    world.keep_what_goes();
    auto fresh = page("foo", 9, foo.files);
    fresh.files.push_back(sdist("foo-3.0.tar.gz"));
    world.kill_at_page(fresh);
    world.network.answers.erase(ScriptedMaster::url(foo));
    world.listed.erase("foo");
    world.event("foo", "remove project", 10);
    world.come_to_rest();
    CHECK_FALSE(world.names("foo-3.0.tar.gz"));
    CHECK(world.names(foo.files[1].name.text()));
}

TEST_CASE("two runs that were killed leave no page with another digest than its file's") {
    Killed world;
    world.kill_at_page(world.with_another_wheel());
    // The second one put the old bytes back.
    REQUIRE(world.bytes(world.path) == foo.files[0].name.text());
    REQUIRE_FALSE(world.shows_wheel());
    world.event("foo", "add py3 file x", 10);
    world.network.fail(ScriptedMaster::url(foo), Fault::retry_later, "HTTP 503");
    REQUIRE_FALSE(world.pass());
    CHECK(world.shows_wheel());
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("a page is torn from before it is placed until it is recorded, whatever its serial") {
    Publishing world;
    ProjectPage fresh = foo;
    fresh.serial = Serial{GENERATE(5, 9)};
    fresh.files.pop_back();
    for (File& file : fresh.files) file.path = *file_path(file), file.held = true;
    const std::string before = world.page_of("foo");
    world.publisher.add(world.staged(fresh));
    while (world.page_of("foo") == before) {
        world.publisher.turn();
        const bool placed = world.page_of("foo") != before;
        CHECK(world.state.torn().empty() == !placed);
    }
    world.publisher.drain();
    CHECK(world.recorded == std::vector<std::string>{"foo"});
    CHECK(world.state.torn().empty());
}

TEST_CASE("nothing on a page is of a killed run while the master is away or the disk is full") {
    Killed world;
    world.put(world.path, "other bytes");
    world.kill_at({world.path});
    world.event("foo", "add py3 file x", 9);
    if (GENERATE(false, true)) {
        world.hooks.shortage = [] { return std::optional<std::string>("/disk: full"); };
        CHECK_THROWS_AS(world.pass(), DiskFull);
    } else {
        world.event("foo", "new release", std::numeric_limits<std::int64_t>::max());
        world.newest = 9;
        CHECK(world.pass());
    }
    CHECK_FALSE(world.names(foo.files[0].name.text()));
    CHECK(world.names(foo.files[1].name.text()));
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("what a killed run has brought outlives a page for whose files there was no room") {
    Killed world;
    auto fresh = page("foo", 9, {foo.files[0]});
    for (const char* name : {"foo-3.0.tar.gz", "foo-4.0.tar.gz"})
        fresh.files.push_back(sdist(name));
    std::vector<std::string> paths;
    for (const std::size_t i : {1U, 2U}) {
        paths.push_back(*file_path(fresh.files[i]));
        world.put(paths.back(), fresh.files[i].name.text());
    }
    world.kill_at(paths);
    world.publish(fresh);
    world.event("foo", "remove file foo-1.0.tar.gz", 9);
    bool is_short = false;
    world.network.before = [&](const std::string& key) {
        is_short = is_short || key == ScriptedMaster::url(foo);
    };
    world.hooks.shortage = [&] {
        return is_short ? std::optional<std::string>("/disk: full") : std::nullopt;
    };
    CHECK_THROWS_AS(world.pass(), DiskFull);
    CHECK_FALSE(world.names(foo.files[1].name.text()));
    for (const std::string& path : paths) CHECK(world.there(path));
    world.network.before = nullptr;
    is_short = false;
    world.come_to_rest();
    CHECK(world.names("foo-3.0.tar.gz"));
    CHECK(world.network.asked[fresh.files[1].url] == 0);
    CHECK(world.network.asked[fresh.files[2].url] == 0);
}

TEST_CASE("a project whose page was never read has none made of what a killed run has left") {
    Killed world;
    const auto fresh = page("new", 9, {sdist("new-1.0.tar.gz")});
    const std::string path = *file_path(fresh.files[0]);
    File file = fresh.files[0];
    file.path = path;
    world.put(path, "other bytes");
    {
        State::Change change(world.state);
        world.state.record_file(fresh.name, "new", file);
        world.state.intend(fresh.name, path);
        change.commit();
    }
    world.publish(fresh);
    world.event("new", "create", 9);
    world.network.fail(ScriptedMaster::url(fresh), Fault::retry_later, "HTTP 503");
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 1);
    CHECK_FALSE(world.there("simple/new/index.v1_json"));
}

TEST_CASE("of a lost state's project that is gone nothing is on its way any more") {
    Killed world;
    world.lose_state();
    world.kill_at({"packages/aa/foo-3.0.tar.gz"});
    {
        State::Change change(world.state);
        world.state.enqueue(foo.name, "foo", Serial{}, Loss::nothing, world.clock.now(), false);
        change.commit();
    }
    world.network.answers.erase(ScriptedMaster::url(foo));
    world.listed.erase("foo");
    world.policy.max_deleted_fraction = 1;
    for (int tries = 0; tries < 4; ++tries) {
        REQUIRE_FALSE(world.pass());
        world.clock.advance(2h);
    }
    CHECK(world.left == 0);
    CHECK(world.state.intended().empty());
}
