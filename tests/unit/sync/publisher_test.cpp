// Pages and files on their way into the tree, and out of it.
#include "pep381d/sync/publisher.h"

#include <fmt/format.h>

#include "pep381d/sync/knowledge.h"
#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/publishing.h"

using namespace pep381d;
using namespace sample;
namespace fs = std::filesystem;

TEST_CASE("a page that comes staged takes its place as it is") {
    Publishing world;
    PageReady ready = world.staged(page("bar", 7, {}));
    const std::string html = page_text(world.policy, ready.page).html;
    world.publisher.add(std::move(ready));
    world.publisher.drain();
    CHECK(world.bytes("simple/bar/index.html") == html);
    CHECK(world.bytes("simple/bar/index.v1_html") == html);
    CHECK(world.recorded == std::vector<std::string>{"bar"});
    CHECK(fs::is_empty(world.directory.path() / "staging"));
}

// Whoever copies the state while pages follow each other has one that is told as older after a
// second, or at the end.
TEST_CASE("changes that follow each other are counted at the first, the last, and once a second") {
    Publishing world;
    world.publisher.take_over_changes();
    const auto count = shown_changes(world.tree);
    int made = 0;
    const auto turn = [&] {
        PageReady ready{page(fmt::format("p{}", ++made).c_str(), 7, {})};
        ready.display = ready.page.name.text();
        world.publisher.add(std::move(ready));
        world.publisher.turn();
        CHECK(shown_changes(world.tree) == world.state.number(Note::changes));
        return shown_changes(world.tree) - count;
    };
    CHECK(turn() == 0);  // nothing has changed yet
    CHECK(turn() == 1);
    CHECK(turn() == 1);
    CHECK(turn() == 1);
    world.clock.advance(1s);
    CHECK(turn() == 2);
    CHECK(turn() == 2);
    world.publisher.drain();
    CHECK(shown_changes(world.tree) == count + 3);
    CHECK(turn() == 3);
    CHECK(turn() == 4);
}

TEST_CASE("a staged page of which a file has no place is made again without it") {
    Publishing world;
    ProjectPage page = rival();
    FileArrived file = world.arrived(page.name, page.files.front());
    const bool together = GENERATE(true, false);
    world.publisher.add(std::move(file));
    // Else the file is refused before the page comes.
    if (!together) world.publisher.drain();
    world.publisher.add(world.staged(std::move(page)));
    world.publisher.drain();
    CHECK(world.page_of("rival").find("foo-1.0") == std::string::npos);
    CHECK(world.page_of("rival").find("\"rival\"") != std::string::npos);
    CHECK(world.recorded ==
          std::vector<std::string>{"rival without foo-1.0-py3-none-any.whl", "rival"});
    CHECK(fs::is_empty(world.directory.path() / "staging"));
}

namespace {

// A project that names foo's wheel too, with the same bytes.
ProjectPage sharing() {
    ProjectPage sharing = page("sharing", 8, {foo.files.front()});
    File& file = sharing.files.front();
    file.path = *file_path(file);
    file.held = true;
    return sharing;
}

struct Removing : Publishing {
    const std::string path = *file_path(foo.files.front());

    Removing() { policy.grace = 15min; }
    // As it was found in its place.
    void found(const ProjectPage& page) {
        const auto there = tree.look(layout::published(path)).value().value_or(FileLook{});
        publisher.add(
            FileArrived{page.name, page.name.text(), page.files.front(), false, {}, there, false});
        publisher.drain();
    }
    void show(const ProjectPage& page) {
        add(page);
        publisher.drain();
    }
    void add(const ProjectPage& page) {
        PageReady ready{page};
        ready.display = page.name.text();
        publisher.add(std::move(ready));
    }
    static ProjectPage held(ProjectPage page) {
        for (File& file : page.files) {
            file.path = *file_path(file);
            file.held = true;
        }
        return page;
    }
    static ProjectPage foo_without_wheel() {
        ProjectPage less = held(foo);
        less.files.erase(less.files.begin());
        return less;
    }
    // Time goes on, and what is due is done.
    void later() {
        clock.advance(1h);
        while (publisher.busy()) publisher.drain();
    }
};

}  // namespace

TEST_CASE("a file is not removed while a page that names it again is on its way") {
    Removing world;
    const bool another = GENERATE(false, true);
    const ProjectPage again = another ? sharing() : world.held(foo);
    world.show(world.foo_without_wheel());
    world.found(again);
    world.later();
    REQUIRE(world.there(world.path));
    world.later();
    REQUIRE(world.there(world.path));
    world.show(again);
    world.later();
    CHECK(world.there(world.path));
    CHECK_FALSE(world.state.next_removal());

    // It goes with the last page that names it.
    ProjectPage less = again;
    less.files.erase(less.files.begin());
    world.show(less);
    world.later();
    CHECK_FALSE(world.there(world.path));
}

TEST_CASE("a file that went before its page came is asked for again") {
    Removing world;
    world.show(world.foo_without_wheel());
    world.later();
    REQUIRE_FALSE(world.there(world.path));
    const std::string before = world.page_of("foo");
    world.found(world.held(foo));
    world.show(world.held(foo));
    CHECK(world.page_of("foo") == before);
    CHECK(world.failed == std::vector<std::string>{"foo"});
    CHECK(world.wait == 0s);
}

TEST_CASE("a file that was found in its place stays for whichever project still names it") {
    Removing world;
    world.found(sharing());
    world.show(sharing());
    const bool first = GENERATE(false, true);
    ProjectPage less = sharing();
    less.files.clear();
    world.show(first ? world.foo_without_wheel() : less);
    world.later();
    CHECK(world.there(world.path));
    world.show(first ? less : world.foo_without_wheel());
    world.later();
    CHECK_FALSE(world.there(world.path));
}

TEST_CASE("a file that two projects drop one after the other goes") {
    Removing world;
    world.policy.grace = 0min;
    world.found(sharing());
    world.show(sharing());
    ProjectPage less = sharing();
    less.files.clear();
    const int turns = GENERATE(0, 1, 2, 3);
    CAPTURE(turns);
    world.add(world.foo_without_wheel());
    for (int turn = 0; turn < turns; ++turn) world.publisher.turn();
    world.add(less);
    while (world.publisher.busy()) world.publisher.drain();
    CHECK_FALSE(world.there(world.path));
    CHECK_FALSE(world.state.awaits(world.path));
}

TEST_CASE("a file that was replaced after it was found is asked for again") {
    Removing world;
    world.show(world.foo_without_wheel());
    const ProjectPage foo_again = world.held(foo);
    const auto there = world.tree.look(layout::published(world.path)).value();
    fs::remove(world.directory.path() / "web" / world.path);
    world.put(world.path, "another");
    world.publisher.add(
        FileArrived{foo_again.name, "foo", foo_again.files.front(), false, {}, there, false});
    world.publisher.drain();
    world.show(foo_again);
    CHECK(world.failed == std::vector<std::string>{"foo"});
    CHECK(world.wait == 0s);
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring(foo.files.front().name.text()));
}

TEST_CASE("who shares a file cannot give it other bytes") {
    Removing world;
    world.found(sharing());
    world.show(sharing());
    ProjectPage other = sharing();
    other.files.front().digests = {{Algorithm::sha256, sha256("other bytes")}};
    other.files.front().size = 11;
    world.publisher.add(world.arrived(other.name, other.files.front(), "other bytes"));
    world.add(other);
    world.publisher.drain();
    CHECK(world.wait == 0s);
    CHECK(world.bytes(world.path) == foo.files.front().name.text());
    CHECK_THAT(world.page_of("sharing"), !ContainsSubstring("foo-1.0"));
    CHECK(verify(world.state, world.tree, true).empty());

    world.recorded.clear();
    world.publisher.add(world.arrived(other.name, other.files.front(), "other bytes"));
    world.add(other);
    world.publisher.drain();
    CHECK(world.recorded ==
          std::vector<std::string>{"sharing without foo-1.0-py3-none-any.whl", "sharing"});
    CHECK(world.bytes(world.path) == foo.files.front().name.text());
}
