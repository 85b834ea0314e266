// What a kill in the middle of a repair leaves, where other work comes before the file does.
#include "pep381d/sync/repairs.h"

#include <thread>

#include "pep381d/sync/committer.h"
#include "pep381d/sync/publisher.h"
#include "pep381d/sync/verification.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

// The first file of foo is damaged, and that is noted; its page still names it.
struct Killed : SyncWorld {
    std::string path = *file_path(foo.files[0]);

    Killed() {
        publish(foo);
        REQUIRE_FALSE(pass());
        put(path, "damaged");
        State::Change change(state);
        state.note_damaged(foo.name, path);
        state.enqueue(foo.name, foo.name.text(), Serial{}, Loss::nothing, clock.now(), true);
        change.commit();
    }
    bool names(const File& file) {
        return page_of("foo").find(file.name.text()) != std::string::npos;
    }
    void is_mended_by_a_pass() {
        clock.advance(1h);
        REQUIRE_FALSE(pass());
        CHECK(left == 0);
        CHECK(names(foo.files[0]));
        CHECK(names(foo.files[1]));
        CHECK(verify(state, tree, true).empty());
        CHECK(state.intended().empty());
    }
};

}  // namespace

TEST_CASE("what was damaged when a repair was killed is fetched again") {
    Killed world;
    world.is_mended_by_a_pass();
}

TEST_CASE("a second repair of the project does not believe what the first found damaged") {
    Killed world;
    std::filesystem::remove(world.directory.path() / "web" / *file_path(foo.files[1]));
    world.network.answers[SyncWorld::url(foo)] = {{}, {}, {Fault::retry_later, "HTTP 503"}};
    (void)world.repair();
    CHECK_FALSE(world.names(foo.files[0]));
    world.publish(foo);
    world.is_mended_by_a_pass();
}

TEST_CASE("what a repair records says nothing of whether the master has the project still") {
    Killed world;
    {
        State::Change change(world.state);
        for (int look = 0; look < 2; ++look) world.state.note_gone(foo.name, world.clock.now());
        change.commit();
    }
    world.network.answers[SyncWorld::url(foo)] = {{}, {}, {Fault::retry_later, "HTTP 503"}};
    (void)world.pass();
    CHECK_FALSE(world.names(foo.files[0]));
    CHECK(world.state.queued(foo.name)->gone_looks == 2);
}

TEST_CASE("a page that is made again does not name what was found damaged") {
    Killed world;
    Publisher publisher(world.state, world.tree, world.policy, world.clock,
                        [](const PageReady&, const Replaced&) {});
    publisher.remake(foo.name);
    publisher.drain();
    CHECK_FALSE(world.names(foo.files[0]));
    CHECK(world.names(foo.files[1]));
    world.is_mended_by_a_pass();
}

TEST_CASE("a page whose damaged file the master does not give any more goes on without it") {
    Killed world;
    world.network.answers[foo.files[0].url] = {{}, {}, {Fault::refused, "HTTP 404"}};
    world.clock.advance(1h);
    (void)world.pass();
    CHECK_FALSE(world.names(foo.files[0]));
    CHECK(world.names(foo.files[1]));
    CHECK_FALSE(world.there(world.path));
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("a page that nobody gives any more goes on without its damaged file") {
    Killed world;
    SECTION("the master is away") {
        world.network.answers[SyncWorld::url(foo)] = {{}, {}, {Fault::retry_later, "HTTP 503"}};
        REQUIRE_FALSE(world.pass());
    }
    SECTION("the project is removed there, and kept here") {
        world.policy.keep_deleted = true;
        world.event("foo", "remove project", 9);
        world.network.answers[SyncWorld::url(foo)] = {{}, {}, {Fault::refused, "HTTP 404"}};
        REQUIRE_FALSE(world.pass());
    }
    CHECK_FALSE(world.names(foo.files[0]));
    CHECK(world.names(foo.files[1]));
    CHECK(world.state.intended().empty());
    world.clock.advance(24h);
    (void)world.pass();
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("a killed repair is taken up before work on its project is handed out") {
    Killed world;
    world.policy.html = GENERATE(true, false);  // else the formats change first
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
    committer.start([] {});
    std::optional<WorkItem> item;
    while (!item) {
        committer.check();
        std::this_thread::sleep_for(1ms);
        item = committer.take();
    }
    committer.stop();
    CHECK(item->queued.name == foo.name);
    CHECK_FALSE(item->ahead);
    CHECK(item->known->files.size() == foo.files.size() - 1);
}
