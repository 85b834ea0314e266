// What has no place in the tree: something lies there, or another project has it.
#include "pep381d/sync/publisher.h"
#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/publishing.h"

using namespace pep381d;
using namespace sample;
namespace fs = std::filesystem;

TEST_CASE(
    "what lies in a file's way and is no project's holds last-modified back, and its page not") {
    SyncWorld world;
    const std::string path = *file_path(foo.files[0]);
    const std::string above = path.substr(0, path.rfind('/'));
    const bool in_its_place = GENERATE(false, true);
    world.put(in_its_place ? path + "/someone's" : above, "someone's");
    world.publish(foo);
    for (int tries = 0; tries < 2; ++tries) {
        world.clock.advance(1h);
        REQUIRE_FALSE(world.pass());
        CHECK(world.left == 1);
        CHECK_FALSE(world.there("last-modified"));
        CHECK_THAT(world.cause_of("foo"), ContainsSubstring("remove what lies there"));
        CHECK_THAT(world.page_of("foo"), !ContainsSubstring(foo.files[0].name.text()));
        CHECK_THAT(world.page_of("foo"), ContainsSubstring(foo.files[1].name.text()));
        CHECK(world.state.page(foo.name)->serial == Serial{});
        CHECK(world.network.asked[foo.files[1].url] == 1);
        CHECK(world.state.queued(foo.name)->not_before >= world.clock.now() + 10min);
    }

    fs::remove_all(world.directory.path() / "web" / (in_its_place ? path : above));
    world.clock.advance(1h);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.there("last-modified"));
    CHECK_THAT(world.page_of("foo"), ContainsSubstring(foo.files[0].name.text()));
    CHECK(world.network.asked[foo.files[1].url] == 1);
}

TEST_CASE("what lies in a page's way holds its project back, and no other") {
    SyncWorld world;
    const std::string way = GENERATE("simple/foo", "simple/foo/index.html/someone's");
    world.put(way, "someone's");
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 1);
    CHECK_FALSE(world.there("last-modified"));
    CHECK_THAT(world.cause_of("foo"), ContainsSubstring("remove what lies there"));
    CHECK(world.there("simple/bar/index.html"));
    CHECK_THAT(world.bytes("simple/index.html"), !ContainsSubstring("foo"));
    CHECK(world.bytes(way) == "someone's");

    fs::remove_all(world.directory.path() / "web/simple/foo");
    world.clock.advance(1h);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK_THAT(world.bytes("simple/index.html"), ContainsSubstring("foo"));
    for (const File& file : foo.files) CHECK(world.network.asked[file.url] == 1);
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("what lies in the way of one format of a page keeps no quarantine back") {
    SyncWorld world;
    world.publish(foo);
    world.publish(bar);
    REQUIRE_FALSE(world.pass());
    const std::string format = GENERATE("index.html", "index.v1_html", "index.v1_json");
    fs::remove(world.directory.path() / "web/simple/foo" / format);
    world.put("simple/foo/" + format + "/someone's", "someone's");
    world.publish(quarantined_foo(9));
    world.event("foo", "quarantine", 9);
    for (int tries = 0; tries < 2; ++tries) {
        REQUIRE_FALSE(world.pass());
        CHECK(world.left == 1);
        CHECK_THAT(world.bytes("simple/index.html"), !ContainsSubstring("foo"));
        for (const File& file : foo.files) CHECK_FALSE(world.there(*file_path(file)));
    }
    fs::remove_all(world.directory.path() / "web/simple/foo" / format);
    world.clock.advance(1h);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(verify(world.state, world.tree, true).empty());
}

TEST_CASE("a file that had no place has one when the other project has given it up") {
    Publishing world;
    const bool copied = GENERATE(false, true);
    const auto come = [&] {
        ProjectPage page = rival();
        world.publisher.add(world.arrived(page.name, page.files.front()));
        PageReady ready = world.staged(std::move(page));
        if (copied) ready.copy = CopiedPage{1, sha256("the master's"), {}};
        world.publisher.add(std::move(ready));
        world.publisher.drain();
    };
    come();
    CHECK(world.page_of("rival").find("foo-1.0") == std::string::npos);
    CHECK(world.there("simple/rival") == !copied);

    world.publish(page("foo", 9, {sdist("foo-1.0.tar.gz")}));
    world.event("foo", "remove file foo-1.0-py3-none-any.whl", 9);
    REQUIRE_FALSE(world.pass());
    world.recorded.clear();
    come();
    CHECK(world.page_of("rival").find("foo-1.0") != std::string::npos);
    CHECK(world.bytes(rival().files.front().path) == "other bytes");
    CHECK(world.recorded == std::vector<std::string>{"rival"});
}

TEST_CASE("a file in its place is not replaced while the page that names it is still to come") {
    Publishing world;
    ProjectPage first = rival(), second = rival();
    second.name = *ProjectName::parse("second");
    for (ProjectPage* page : {&first, &second})
        page->files.front().path = "packages/both/foo-1.0-py3-none-any.whl";
    const std::string bytes = "the second's";
    second.files.front().digests = {{Algorithm::sha256, sha256(bytes)}};
    second.files.front().size = static_cast<std::int64_t>(bytes.size());
    const auto come = [&](ProjectPage& page, const std::string& text) {
        world.publisher.add(world.arrived(page.name, page.files.front(), text));
        world.publisher.drain();
    };
    {
        State::Change change(world.state);
        world.state.enqueue(first.name, "rival", Serial{8}, Loss::nothing, world.clock.now(), true);
        change.commit();
    }
    come(first, "other bytes");
    come(second, bytes);
    CHECK(world.bytes(first.files.front().path) == "other bytes");
    world.publisher.add(world.staged(second));
    world.publisher.drain();
    CHECK(world.wait == 0s);
    CHECK_THAT(world.page_of("second"), !ContainsSubstring("foo-1.0"));

    world.publisher.add(world.staged(first));
    world.publisher.drain();
    CHECK_THAT(world.page_of("rival"), ContainsSubstring("foo-1.0"));
    {
        State::Change change(world.state);
        world.state.settle(first.name, Serial{8});
        change.commit();
    }
    come(second, bytes);
    world.recorded.clear();
    world.publisher.add(world.staged(second));
    world.publisher.drain();
    CHECK(world.recorded ==
          std::vector<std::string>{"second without foo-1.0-py3-none-any.whl", "second"});
    CHECK(world.bytes(first.files.front().path) == "other bytes");
}

TEST_CASE("a file that two projects share has the bytes that its master gives it later") {
    SyncWorld world;
    const auto shown = [&](const char* name, std::int64_t serial, const std::string& bytes) {
        ProjectPage page = sample::page(name, serial, {sdist("shared-1.0.tar.gz")});
        page.files[0].digests = {{Algorithm::sha256, sha256(bytes)}};
        page.files[0].size = static_cast<std::int64_t>(bytes.size());
        world.publish(page);
        world.network.answers[page.files[0].url] = {bytes, "application/octet-stream"};
        return page;
    };
    const ProjectPage page = shown("one", 1, "first");
    shown("two", 2, "first");
    REQUIRE_FALSE(world.pass());
    REQUIRE(world.left == 0);
    shown("one", 3, "second");
    shown("two", 4, "second");
    world.event("one", "new release", 3);
    world.event("two", "new release", 4);
    for (int tries = 0; tries < 5; ++tries) {
        REQUIRE_FALSE(world.pass());
        CHECK(verify(world.state, world.tree, true).empty());
        world.clock.advance(1h);
    }
    CHECK(world.left == 0);
    CHECK(world.bytes(*file_path(page.files[0])) == "second");
    for (const char* name : {"one", "two"})
        CHECK_THAT(world.page_of(name), ContainsSubstring(to_hex(sha256("second"))));
}

TEST_CASE("what had no place before and has one now leaves the master's page as it is") {
    Publishing world;
    ProjectPage page = rival();
    File& file = page.files.front();
    file.path = "packages/its-own/foo-1.0-py3-none-any.whl";
    world.put(file.path + "/someone's", "x");
    world.publisher.add(world.arrived(page.name, file));
    world.publisher.drain();
    REQUIRE_FALSE(world.state.intended().contains(file.path));
    fs::remove_all(world.directory.path() / "web" / file.path);

    world.publisher.add(world.arrived(page.name, file));
    const bool at_once = GENERATE(false, true);
    if (!at_once) world.publisher.drain();
    PageReady ready{page};
    ready.display = "rival";
    ready.text = PageText{"the master's", {}, {}};
    ready.copy = CopiedPage{12, sha256("the master's"), {}};
    world.publisher.add(std::move(ready));
    world.publisher.drain();
    CHECK(world.bytes("simple/rival/index.html") == "the master's");
    CHECK(world.failed.empty());
}

TEST_CASE("what a killed run has put in place for a settled project keeps nobody from there") {
    Publishing world;
    ProjectPage page = rival();
    page.files.front().path = "packages/aa/foo-1.0-py3-none-any.whl";
    const std::string path = page.files.front().path;
    world.put(path, "of a release that the master has withdrawn");
    {
        State::Change change(world.state);
        world.state.intend(foo.name, path);
        change.commit();
    }
    world.publisher.add(world.arrived(page.name, page.files.front()));
    world.publisher.add(world.staged(page));
    world.publisher.drain();
    CHECK(world.recorded == std::vector<std::string>{"rival"});
    CHECK(world.bytes(path) == "other bytes");
}

TEST_CASE("two projects share what no digest proves, where its bytes or its URL are the same") {
    Publishing world;
    const std::string text = GENERATE("the same", "another");
    const std::string host = GENERATE("files", "other");
    const auto come = [&](const char* name, const std::string& bytes, const std::string& from) {
        ProjectPage page = sample::page(name, 8, {wheel("shared-1.0-py3-none-any.whl")});
        File& file = page.files.front();
        file.path = "packages/aa/shared-1.0-py3-none-any.whl";
        file.url = "https://" + from + ".example/" + file.path;
        file.digests = {{Algorithm::sha256, sha256("other bytes")}};
        file.size = 11;
        file.core_metadata = {true, {}};
        world.publisher.add(world.arrived(page.name, file));
        FileArrived metadata = world.arrived(page.name, file, bytes);
        metadata.metadata = file.metadata_held = true;
        world.publisher.add(std::move(metadata));
        world.publisher.add(world.staged(page));
        world.publisher.drain();
        return world.state.page(page.name)->files.at(0).metadata_held;
    };
    CHECK(come("first", "the same", "files"));
    CHECK(come("second", text, host) == (text == "the same" || host == "files"));
    CHECK(world.bytes("packages/aa/shared-1.0-py3-none-any.whl.metadata") ==
          (host == "files" ? text : "the same"));
}

TEST_CASE("what arrives early says nothing of the file that belongs to it") {
    Publishing world;
    const std::string text = "Metadata-Version: 2.1\n";
    ProjectPage page = sample::page("early", 8, {wheel("early-1.0-py3-none-any.whl")});
    File& file = page.files.front();
    file.path = *file_path(file);
    file.digests = {{Algorithm::sha256, sha256("other bytes")}};
    file.size = 11;
    file.core_metadata = {true, sha256(text)};
    const bool metadata_refused = GENERATE(false, true);
    world.put((metadata_refused ? layout::metadata(file.path) : file.path) + "/someone's", "x");
    file.metadata_held = true;  // as its job says
    FileArrived itself = world.arrived(page.name, file, "other bytes");
    FileArrived metadata = world.arrived(page.name, file, text);
    metadata.metadata = true;
    itself.early = metadata.early = true;
    const bool metadata_first = GENERATE(false, true);
    world.publisher.add(metadata_first ? metadata : itself);
    world.publisher.drain();
    world.publisher.add(metadata_first ? itself : metadata);
    world.publisher.drain();
    CHECK(world.state.holds(page.name, file.path) == metadata_refused);
    CHECK_FALSE(world.state.holds(page.name, layout::metadata(file.path)));
    CHECK(world.state.intended().contains(layout::metadata(file.path)) == !metadata_refused);
}

TEST_CASE("of a copied page that stays nothing is replaced, whichever file has no place") {
    const bool copied = GENERATE(true, false);
    Publishing world;
    world.policy.copy = true;
    ProjectPage fresh = page("foo", 9, foo.files);
    File more = sdist("foo-3.0.tar.gz");
    more.path = *file_path(more);
    std::string obstacle = more.path;
    std::vector<FileArrived> kept;
    for (File& file : fresh.files) {
        file.path = *file_path(file);
        file.digests = {{Algorithm::sha256, sha256("other bytes")}};
        file.size = 11;
        kept.push_back(world.arrived(fresh.name, file));
    }
    int turns = 0;  // between the new file and the page
    const fs::path web = world.directory.path() / "web", elsewhere = world.directory.path() / "x";
    SECTION("one that replaces another") {
        obstacle = fresh.files[GENERATE(0U, 1U)].path;
        fs::remove(web / obstacle);
        world.put(obstacle + "/someone's", "someone's");
    }
    SECTION("one whose directory is elsewhere now") {
        obstacle = fresh.files[GENERATE(0U, 1U)].path;
        const fs::path above = (web / obstacle).parent_path();
        fs::rename(above, elsewhere);
        fs::create_directory_symlink(elsewhere, above);
    }
    SECTION("one whose directory has become a file") {
        obstacle = fresh.files[GENERATE(0U, 1U)].path;
        const std::string above = fs::path(obstacle).parent_path();
        fs::remove_all(web / above);
        world.put(above, "someone's");
    }
    SECTION("a new one") {
        turns = GENERATE(0, 1, 2, 3);
        world.put(obstacle + "/someone's", "someone's");
    }
    const std::string before = world.page_of("foo");
    if (obstacle == more.path) {
        world.publisher.add(world.arrived(fresh.name, more));
        for (int turn = 0; turn < turns; ++turn) world.publisher.turn();
    }
    fresh.files.push_back(more);
    PageReady ready = world.staged(fresh);
    if (copied) ready.copy = CopiedPage{};
    ready.kept = std::move(kept);
    world.publisher.add(std::move(ready));
    world.publisher.drain();
    // A page of our own making only goes without that file.
    CHECK(world.failed.size() == (copied ? 1 : 0));
    CHECK((world.page_of("foo") == before) == copied);
    for (const File& file : foo.files)
        if (*file_path(file) != obstacle)
            CHECK(world.bytes(*file_path(file)) == (copied ? file.name.text() : "other bytes"));
    CHECK(fs::is_empty(world.directory.path() / "staging"));
}

TEST_CASE("a page that cannot be replaced keeps the files that it names") {
    Publishing world;
    world.policy.copy = GENERATE(true, false);
    ProjectPage fresh = page("foo", 9, foo.files);
    fresh.files[0].path = *file_path(fresh.files[0]);
    fresh.files[0].digests = {{Algorithm::sha256, sha256("other bytes")}};
    PageReady ready = world.staged(fresh);
    if (world.policy.copy) ready.copy = CopiedPage{};
    ready.kept.push_back(world.arrived(fresh.name, fresh.files[0]));
    const fs::path way = world.directory.path() / "web/simple/foo";
    const fs::path elsewhere = world.directory.path() / "x";
    fs::rename(way, elsewhere);
    fs::create_directory_symlink(elsewhere, way);
    world.publisher.add(std::move(ready));
    world.publisher.drain();
    CHECK(world.failed == std::vector<std::string>{"foo"});
    CHECK(world.wait >= 10min);
    CHECK(world.bytes(fresh.files[0].path) == foo.files[0].name.text());
    CHECK(fs::is_empty(world.directory.path() / "staging"));
}
