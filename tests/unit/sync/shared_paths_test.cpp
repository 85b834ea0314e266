// Two projects whose pages name one path, each with a host of its own.
#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/catch.h"
#include "support/publishing.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

struct Sharing : SyncWorld {
    const std::string path = "packages/aa/bb/shared-1.0-py3-none-any.whl";
    std::int64_t serial = 10;

    // What the project's page names at the path from now on.
    void give(const char* name, const std::string& text, const std::string& about = "about",
              bool digests = true) {
        File file = wheel("shared-1.0-py3-none-any.whl");
        file.url = std::string("https://") + name + ".example/" + path;
        file.size = static_cast<std::int64_t>(text.size());
        file.digests.clear();
        file.core_metadata = {true, {}};
        if (digests) {
            file.digests = {{Algorithm::sha256, sha256(text)}};
            file.core_metadata.sha256 = sha256(about);
        }
        show(page(name, ++serial, {file}));
        network.answers[file.url] = {text, "application/octet-stream"};
        network.answers[file.url + ".metadata"] = {about, "text/plain"};
    }
    void give_up(const char* name) { show(page(name, ++serial, {})); }
    void show(const ProjectPage& page) {
        publish(page);
        event(page.name.text(), "remove file x", page.serial.value);
    }
    void pass_some_times() {
        for (int tries = 0; tries < 3; ++tries) {
            REQUIRE_FALSE(pass());
            CHECK(verify(state, tree, true).empty());
            clock.advance(1h);
        }
        CHECK(left == 0);
    }
    bool has(const char* name) {
        return page_of(name).find("shared-1.0-py3-none-any.whl") != std::string::npos;
    }
};

}  // namespace

TEST_CASE("who names no digest does not replace what another project's page proves") {
    Sharing world;
    const bool file = GENERATE(false, true);
    world.give("one", "text", "about", !file);
    world.give("two", "text");
    world.pass_some_times();
    REQUIRE((world.has("one") && world.has("two")));
    world.give("one", file ? "other text" : "text", "about another", false);
    world.pass_some_times();
    CHECK(world.bytes(world.path) == "text");
    CHECK(world.bytes(world.path + ".metadata") == "about");
    CHECK(world.has("two"));
    CHECK(world.has("one") == !file);
}

TEST_CASE("a path that its owner gives up is another's in the same poll") {
    Sharing world;
    const bool owner_first = GENERATE(false, true);
    const auto [owner, heir] = owner_first ? std::pair{"one", "two"} : std::pair{"two", "one"};
    world.give(owner, "text");
    world.pass_some_times();
    SECTION("when it names no file there any more") {
        world.give_up(owner);
        world.give(heir, "other text");
        world.pass_some_times();
        CHECK_FALSE(world.has(owner));
    }
    SECTION("when both have the same new bytes") {
        world.give(owner, "other text");
        world.give(heir, "other text");
        world.pass_some_times();
        CHECK(world.has(owner));
    }
    CHECK(world.has(heir));
    CHECK(world.bytes(world.path) == "other text");
}

TEST_CASE("who keeps what goes leaves no two projects waiting for one another's paths") {
    Sharing world;
    world.policy.keep_deleted = world.policy.page.keep = true;
    world.give("one", "text");
    world.pass_some_times();
    // Two has a path of its own, which one is to have from now on; and the other way around.
    File own = sdist("own-1.0.tar.gz");
    world.show(page("two", ++world.serial, {own}));
    world.pass_some_times();
    File wanted = own;
    wanted.digests = {{Algorithm::sha256, sha256("other text")}};
    wanted.url = "https://one.example/" + *file_path(own);
    wanted.size = 10;
    world.show(page("one", ++world.serial, {wanted}));
    world.network.answers[wanted.url] = {"other text", "application/octet-stream"};
    world.give("two", "other text");
    for (int tries = 0; tries < 3; ++tries) {
        REQUIRE_FALSE(world.pass());
        CHECK(verify(world.state, world.tree, true).empty());
        world.clock.advance(1h);
    }
    CHECK(world.left == 0);
    CHECK(world.has("one"));
    CHECK_FALSE(world.has("two"));
    CHECK_THAT(world.page_of("two"), ContainsSubstring("own-1.0.tar.gz"));
}

TEST_CASE("what two projects have from one URL without a digest is replaced for both") {
    Sharing world;
    const auto give_both = [&](const std::string& text, const std::vector<const char*>& names) {
        for (const char* name : names) {
            File file = sdist("shared-1.0.tar.gz");
            file.digests.clear();
            file.size.reset();
            file.url = "https://files.example/packages/aa/bb/shared-1.0.tar.gz";
            world.show(page(name, ++world.serial, {file}));
            world.network.answers[file.url] = {text, "application/octet-stream"};
            world.network.answers[file.url].etag = "\"" + text + "\"";
        }
        REQUIRE_FALSE(world.pass());
        CHECK(world.left == 0);
        for (const char* name : {"one", "two"})
            CHECK_THAT(world.page_of(name), ContainsSubstring("shared-1.0.tar.gz"));
        CHECK(world.bytes("packages/aa/bb/shared-1.0.tar.gz") == text);
    };
    give_both("text", {"one", "two"});
    give_both("other text", {"two"});
    give_both("text again", {"one"});
    give_both("the last", {"one", "two"});
}

TEST_CASE("what a project has from a URL without a digest is not replaced from another's") {
    Sharing world;
    const bool hosts = GENERATE(false, true);
    world.give("one", "text", "", false);
    world.pass_some_times();
    File file = wheel("shared-1.0-py3-none-any.whl");
    file.digests.clear();
    // One URL, but not one size: a page is behind, and nobody knows whose.
    file.url = std::string("https://") + (hosts ? "two" : "one") + ".example/" + world.path;
    file.size = hosts ? 4 : 5;
    const auto give_two = [&](const std::string& text) {
        world.show(page("two", ++world.serial, {file}));
        world.network.answers[file.url] = {text, "application/octet-stream"};
        world.pass_some_times();
    };
    if (hosts) give_two("text");
    give_two(hosts ? "more" : "more.");
    CHECK(world.has("one"));
    CHECK(world.bytes(world.path) == "text");
}

TEST_CASE("where what goes is kept an owner who could not be asked is waited for") {
    Sharing world;
    world.policy.keep_deleted = world.policy.page.keep = true;
    world.give("one", "text");
    world.give("two", "text");
    world.pass_some_times();
    world.give("one", "other text");
    world.give("two", "other text");
    const std::string twos = ScriptedMaster::url(page("two", 0, {}));
    const auto well = world.network.answers.at(twos);
    world.network.fail(twos, GENERATE(Fault::retry_later, Fault::refused), "no answer of use");
    REQUIRE_FALSE(world.pass());
    world.clock.advance(1h);
    REQUIRE_FALSE(world.pass());
    world.clock.advance(1h);
    world.network.answers[twos] = well;
    world.pass_some_times();
    CHECK((world.has("one") && world.has("two")));
    CHECK(world.bytes(world.path) == "other text");
}

TEST_CASE("where what goes is kept an owner who waits himself is asked when he has news") {
    Sharing world;
    world.policy.keep_deleted = world.policy.page.keep = true;
    world.give("one", "text");
    world.give("two", "text");
    File third = sdist("own-1.0.tar.gz");
    world.show(page("three", ++world.serial, {third}));
    world.pass_some_times();
    // Two waits for a place of three's, whose page cannot be had.
    const std::string threes = ScriptedMaster::url(page("three", 0, {}));
    const auto well = world.network.answers.at(threes);
    world.network.fail(threes, Fault::retry_later, "HTTP 503");
    world.event("three", "add source file", ++world.serial);
    File wanted = third;
    wanted.digests = {{Algorithm::sha256, sha256("twos")}};
    wanted.url = "https://two.example/" + *file_path(third);
    wanted.size = 4;
    world.network.answers[wanted.url] = {"twos", "application/octet-stream"};
    const auto give_two = [&](const std::string& text) {
        world.give("two", text);
        ProjectPage both = page("two", ++world.serial, {wanted});
        File shared = wheel("shared-1.0-py3-none-any.whl");
        shared.url = "https://two.example/" + world.path;
        shared.size = static_cast<std::int64_t>(text.size());
        shared.digests = {{Algorithm::sha256, sha256(text)}};
        shared.core_metadata = {true, sha256("about")};
        both.files.push_back(shared);
        world.network.answers[ScriptedMaster::url(both)] = {project_json(both)};
        world.event("two", "add source file", world.serial);
    };
    give_two("text");
    REQUIRE_FALSE(world.pass());
    REQUIRE_THAT(world.cause_of("two"), ContainsSubstring("another project, three"));
    world.give("one", "other text");
    give_two("other text");
    for (int tries = 0; tries < 3; ++tries) {
        REQUIRE_FALSE(world.pass());
        world.clock.advance(1h);
        if (tries == 0) world.network.answers[threes] = well;
    }
    CHECK((world.has("one") && world.has("two")));
    CHECK(world.bytes(world.path) == "other text");
}

TEST_CASE("no project shows the metadata of another's wheel") {
    Sharing world;
    const auto show = [&](const char* name, const std::string& text) {
        File file = wheel("shared-1.0-py3-none-any.whl");
        file.url = "https://files.example/" + world.path;
        file.size = static_cast<std::int64_t>(text.size());
        file.digests = {{Algorithm::sha256, sha256(text)}};
        file.core_metadata = {true, {}};
        world.show(page(name, ++world.serial, {file}));
        world.network.answers[file.url] = {text, "application/octet-stream"};
        world.network.answers[file.url + ".metadata"] = {"about " + text, "text/plain"};
    };
    show("one", "text");
    show("two", "text");
    world.pass_some_times();
    show("two", "more");
    world.pass_some_times();
    CHECK(world.bytes(world.path) == "text");
    CHECK(world.bytes(world.path + ".metadata") == "about text");
}

TEST_CASE("a path is its heir's though its owner's page was not to be had at first") {
    Sharing world;
    world.give("one", "text");
    world.pass_some_times();
    world.give_up("one");
    world.give("two", "other text");
    const std::string owners = ScriptedMaster::url(page("one", 0, {}));
    const auto well = world.network.answers.at(owners);
    world.network.fail(owners, Fault::retry_later, "HTTP 503");
    REQUIRE_FALSE(world.pass());
    CHECK_THAT(world.cause_of("two"),
               ContainsSubstring("belongs to a file of another project, one"));
    world.clock.advance(1h);
    world.network.answers[owners] = well;
    world.pass_some_times();
    CHECK(world.has("two"));
    CHECK(world.bytes(world.path) == "other text");
}

TEST_CASE("a companion that another project's keeps out is told of") {
    Publishing world;
    ProjectPage page = rival();
    File& file = page.files.front();
    file.digests = foo.files.front().digests;
    file.core_metadata = {true, sha256("about another")};
    file.metadata_held = true;
    world.publisher.add(world.arrived(page.name, file, world.bytes(file.path)));
    FileArrived metadata = world.arrived(page.name, file, "about another");
    metadata.metadata = true;
    world.publisher.add(std::move(metadata));
    world.publisher.add(world.staged(page));
    world.publisher.drain();
    CHECK(world.recorded ==
          std::vector<std::string>{"rival without foo-1.0-py3-none-any.whl.metadata", "rival"});
    CHECK_FALSE(world.state.page(page.name)->files.at(0).metadata_held);
}
