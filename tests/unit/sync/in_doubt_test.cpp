// Files that a killed run has left in their places, or was about to put there.
#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/catch.h"
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
