#include <algorithm>

#include "pep381d/sync/knowledge.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;
using World = SyncWorld;

namespace {

// The tree of a mirror whose state was lost: pages and files of foo, bar and `gone`, which the
// master does not have any more. Its page of bar cannot be had for the moment.
struct Lost : SyncWorld {
    const ScriptedTransport::Answer no_page{{}, {}, {Fault::retry_later, "HTTP 503"}};
    ScriptedTransport::Answer page_of_bar;
    const std::string file_of_gone = "packages/aa/gone-1.0.tar.gz";

    Lost() {
        publish(foo);
        publish(bar);
        page_of_bar = network.answers[url(bar)];
        network.answers[url(bar)] = no_page;
        for (const char* name : {"foo", "bar", "gone"})
            for (const char* page : {"index.html", "index.v1_html", "index.v1_json"})
                put(std::string("simple/") + name + "/" + page, "of before");
        put("simple/index.html", "of before");
        put(file_of_gone, "x");
        put("last-modified", "20010203T04:05:06\n");
    }
    std::string listed() {
        std::string all;
        const std::string root = bytes("simple/index.html");
        for (const char* name : {"bar", "foo", "gone"})
            if (root.find(std::string("href=\"") + name + "/\"") != std::string::npos)
                all += std::string(" ") + name;
        return all;
    }
    void sync() {
        clock.advance(1min);
        const auto failure = pass();
        INFO((failure ? failure->what : ""));
        REQUIRE_FALSE(failure);
    }
    void bar_comes() {
        network.answers[url(bar)] = page_of_bar;
        sync();
        CHECK(left == 0);
    }
    std::vector<std::string> strays() {
        std::vector<std::string> all;
        for (const Finding& finding : verify(state, tree, false))
            if (finding.flaw == Flaw::stray) all.push_back(finding.path);
        return all;
    }
};

}  // namespace

TEST_CASE("of a lost state's tree the root index lists what the master still lists") {
    Lost world;
    world.sync();
    CHECK(world.left == 1);
    CHECK(world.listed() == " bar foo");
    CHECK(world.bytes("simple/bar/index.html") == "of before");
    CHECK(world.strays().empty());

    SECTION("but what is removed") {
        world.network.answers.erase(World::url(bar));
        world.event("bar", "remove project", 9);
        world.sync();
        CHECK_FALSE(world.there("simple/bar"));
        CHECK(world.listed() == " foo");
    }
    SECTION("but what is quarantined") {
        world.publish(quarantined_foo(9));
        world.event("foo", "quarantine", 9);
        world.sync();
        CHECK(world.listed() == " bar");
        world.bar_comes();
        CHECK(world.listed() == " bar");
    }
    SECTION("until all is read again") {
        world.bar_comes();
        CHECK(world.listed() == " bar foo");
    }
    // What the master has removed meanwhile stays, until somebody asks for strays to go.
    CHECK(world.there(world.file_of_gone));
    CHECK(world.there("simple/gone/index.html"));
    CHECK_FALSE(world.strays().empty());
}

TEST_CASE("a page of a lost state's tree does not go for a 404") {
    Lost world;
    world.network.answers.erase(World::url(bar));
    for (int hour = 0; hour < 5; ++hour) {
        world.sync();
        world.clock.advance(1h);
        CHECK(world.there("simple/bar/index.html"));
        CHECK(world.listed() == " bar foo");
    }
    CHECK(world.left == 1);

    // Only where a list, too, lacks it, which is not from before it.
    world.ScriptedMaster::listed.erase("bar");
    world.publish(page("new", 9, {}));
    world.event("new", "create", 9);
    world.sync();
    world.clock.advance(1h);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.listed() == " foo");
    CHECK(world.there("simple/bar/index.html"));
}

TEST_CASE("a list that is cut short hides nothing of a lost state's tree") {
    Lost world;
    world.ScriptedMaster::listed.erase("foo");
    world.sync();
    CHECK(world.listed() == " bar foo");
    world.bar_comes();
    CHECK(world.listed() == " bar foo");
    CHECK(world.network.asked[World::url(foo)] == 1);
    for (const std::string& stray : world.strays()) CHECK(stray.find("gone") != std::string::npos);
}

TEST_CASE(
    "a page of a lost state's tree goes by a removal event with a 404, or with a newer list") {
    Lost world;
    world.sync();
    world.event("bar", "remove project", 9);
    const bool gone = GENERATE(true, false);
    if (gone) world.network.answers.erase(World::url(bar));
    world.sync();
    CHECK(world.there("simple/bar") == !gone);
    if (gone) return;
    // The page still fails, and the list is older than the event.
    world.ScriptedMaster::listed.erase("bar");
    world.clock.advance(1h);
    world.sync();
    CHECK(world.there("simple/bar"));
    world.publish(page("new", 9, {}));
    world.clock.advance(1h);
    world.sync();
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.left == 0);
}

TEST_CASE("an event that is newer than a list says that the project is there") {
    Lost world;
    world.sync();
    world.network.answers.erase(World::url(bar));
    world.ScriptedMaster::listed.erase("bar");
    for (int hour = 0; hour < 4; ++hour) {
        world.event("bar", "new release", 9 + hour);
        world.clock.advance(1h);
        world.sync();
    }
    CHECK(world.left == 1);
    CHECK(world.listed() == " bar foo");
}

TEST_CASE("of a lost state, what has no page here and none at the master is left out") {
    Lost world;
    std::filesystem::remove_all(world.directory.path() / "web/simple/bar");
    world.network.answers.erase(World::url(bar));
    for (int hour = 0; hour < 4; ++hour) {
        world.sync();
        world.clock.advance(1h);
    }
    CHECK(world.left == 0);
    CHECK_FALSE(world.strays().empty());
}

TEST_CASE("a lost state is whole again when what is left waits for somebody here") {
    Lost world;
    const std::string in_the_way = *file_path(foo.files[0]) + "/someone's";
    world.put(in_the_way, "someone's");
    world.sync();
    CHECK(may_be_lost(world.state));
    world.network.answers[World::url(bar)] = world.page_of_bar;
    world.sync();
    CHECK(world.left == 1);
    CHECK_FALSE(may_be_lost(world.state));
    const auto strays = world.strays();
    CHECK(std::count(strays.begin(), strays.end(), "web/" + in_the_way) == 1);
}

TEST_CASE("files of a lost state's tree are no strays, and found, while others cannot be had") {
    Lost world;
    world.network.answers[World::url(bar)] = world.page_of_bar;
    ProjectPage many = page("many", 8, {});
    for (const char* version : {"1", "2", "3", "4", "5"})
        many.files.push_back(sdist(std::string("many-") + version + ".tar.gz"));
    world.publish(many);
    const File whole = many.files.back();
    world.put(*file_path(whole), whole.name.text());
    for (std::size_t i = 0; i + 1 < many.files.size(); ++i)
        world.network.answers[many.files[i].url] = {{}, {}, {Fault::retry_later, "HTTP 503"}};
    world.sync();
    CHECK(world.left == 1);
    CHECK_THAT(world.page_of("many"), ContainsSubstring(whole.name.text()));
    CHECK(world.network.asked[whole.url] == 0);
    CHECK(may_be_lost(world.state));
    CHECK(world.strays().empty());
}

TEST_CASE("when most of a lost state's tree is gone at the master, the guard holds it back") {
    Lost world;
    constexpr int more = 10;
    for (int i = 0; i < more; ++i)
        world.put("simple/gone-" + std::to_string(i) + "/index.html", "of before");
    world.policy.keep_deleted = GENERATE(false, true);
    const bool told = GENERATE(false, true);
    for (int i = 0; told && i < more; ++i)
        world.event("gone-" + std::to_string(i), "remove project", 20 + i);
    world.sync();
    world.network.answers[World::url(bar)] = world.page_of_bar;
    world.sync();
    if (!world.policy.keep_deleted) {
        CHECK(world.left == more + 1);
        CHECK_THAT(world.cause_of("gone"), ContainsSubstring("pep381d allow-deletions"));
        CHECK(world.listed() == " bar foo gone");
        CHECK(world.strays().empty());
        State::Change change(world.state);
        CHECK(world.state.allow_held() == more + 1);
        change.commit();
    }
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.listed() == " bar foo");
    CHECK_FALSE(world.strays().empty());
    CHECK(world.there("simple/gone-0") == (world.policy.keep_deleted || !told));
}

TEST_CASE("what is blocked by name goes from a lost state's tree as well") {
    Lost world;
    world.policy.filter = Filter({"*"}, {"Bar"});
    world.sync();
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.listed() == " foo");
}

TEST_CASE("a lost state's root index stays as it is until the master has told its first list") {
    Lost world;
    world.policy.filter = Filter({"*"}, {"Bar"});
    world.cut_list = true;
    CHECK(world.pass());
    CHECK(world.bytes("simple/index.html") == "of before");
    CHECK(world.there("simple/bar"));
    world.cut_list = false;
    world.sync();
    CHECK_FALSE(world.there("simple/bar"));
    CHECK(world.listed() == " foo");
}

TEST_CASE("formats that are not made any more go from a lost state's tree with its first pages") {
    Lost world;
    world.policy.html = false;
    world.sync();
    CHECK(world.there("simple/foo/index.v1_json"));
    CHECK_FALSE(world.there("simple/foo/index.html"));
    CHECK_FALSE(world.there("simple/foo/index.v1_html"));
    CHECK(world.there("simple/bar/index.html"));
    world.bar_comes();
    CHECK_FALSE(world.there("simple/bar/index.html"));
}

TEST_CASE("what the master excuses is not read, and files of a lost state's page are no strays") {
    Lost world;
    world.put("packages/aa/bar-1.0.tar.gz", "bar-1.0.tar.gz");
    world.network.answers[World::url(bar)] = {{}, {}, {Fault::corrupt, "no page"}};
    for (int minute = 0; minute < 5; ++minute) {
        world.sync();
        world.clock.advance(30min);
    }
    REQUIRE(world.left == 1);
    REQUIRE(world.state.time(Note::last_modified));
    CHECK(may_be_lost(world.state));
    CHECK(world.strays().empty());
    CHECK(world.state.files_may_be_unknown());
    world.bar_comes();
    CHECK_FALSE(may_be_lost(world.state));
    CHECK_FALSE(world.strays().empty());
}

TEST_CASE("in a tree without files, as a new mirror's, none lies unknown in its place") {
    World world;
    REQUIRE(world.state.files_may_be_unknown());
    CHECK_FALSE(files_may_be_unknown(world.state, world.tree));
    std::filesystem::create_directories(world.directory.path() / "web/packages");
    CHECK_FALSE(files_may_be_unknown(world.state, world.tree));
    world.put("packages/aa/foo-1.0.tar.gz", "x");
    CHECK(files_may_be_unknown(world.state, world.tree));
}

TEST_CASE("pages without a root index are a lost state's tree, too") {
    Lost world;
    std::filesystem::remove(world.directory.path() / "web/simple/index.html");
    world.policy.html = false;
    world.sync();
    CHECK_FALSE(world.there("simple/foo/index.html"));
    world.bar_comes();
    CHECK_FALSE(world.there("simple/bar/index.html"));
}

TEST_CASE("what is blocked by name after a state was lost goes, though the state never knew it") {
    Lost world;
    world.sync();
    world.bar_comes();
    REQUIRE(world.there("simple/gone/index.html"));
    world.policy.keep_deleted = true;
    world.policy.filter = Filter({"*"}, {"gone"});
    world.sync();
    CHECK_FALSE(world.there("simple/gone"));
    CHECK(world.listed() == " bar foo");
}

TEST_CASE("a tree that was put back from a copy is told by the count of changes as well") {
    Lost world;
    world.sync();
    world.bar_comes();
    const auto count = shown_changes(world.tree);
    State::Change change(world.state);
    world.state.set(Note::changes, count + 5);  // these may not have been shown
    CHECK_FALSE(why_apart(world.state, count));
    world.state.set(Note::changes, count + 6);
    CHECK_THAT(*why_apart(world.state, count), ContainsSubstring("the tree was put back"));
    CHECK_FALSE(why_apart(world.state, 0));
}

TEST_CASE("a count that was not shown is shown by the next pass, and of no use where it is huge") {
    Lost world;
    world.sync();
    world.bar_comes();
    const auto count = shown_changes(world.tree);
    world.put("status/changes", "9223372036854775807\n");
    CHECK(shown_changes(world.tree) == 0);
    std::filesystem::remove(world.directory.path() / "web/status/changes");
    world.sync();
    CHECK(shown_changes(world.tree) == count);
}

TEST_CASE("a count that cannot be shown is not raised") {
    SyncWorld world;
    world.publish(foo);
    REQUIRE_FALSE(world.pass());
    const auto count = shown_changes(world.tree);
    const auto shown = world.directory.path() / "web/status/changes";
    std::filesystem::rename(shown, world.directory.path() / "kept");
    world.put("status/changes/someone's", "x");
    const auto change = [&](int serial) {
        const std::string name = "new-" + std::to_string(serial);
        world.publish(page(name.c_str(), serial, {}));
        world.event(name, "create", serial);
        REQUIRE_FALSE(world.pass());
        REQUIRE(world.left == 0);
    };
    for (int serial = 10; serial < 20; ++serial) change(serial);
    std::filesystem::remove_all(shown);
    std::filesystem::rename(world.directory.path() / "kept", shown);
    CHECK_FALSE(why_apart(world.state, shown_changes(world.tree)));
    change(20);
    CHECK(shown_changes(world.tree) > count + 1);
    CHECK(shown_changes(world.tree) == world.state.number(Note::changes));
}

TEST_CASE("a state that knows no list yet is told, too") {
    SyncWorld world;
    CHECK_FALSE(why_apart(world.state, 7));
    State::Change change(world.state);
    world.state.set(Note::changes, 6);
    CHECK(why_apart(world.state, 7));
}

TEST_CASE(
    "a state that was put back from a copy is told by the count of changes, and begins anew") {
    Lost world;
    CHECK_FALSE(why_apart(world.state, shown_changes(world.tree)));  // it knows nothing at all
    world.sync();
    world.bar_comes();
    CHECK_FALSE(why_apart(world.state, shown_changes(world.tree)));

    const auto count = shown_changes(world.tree);
    CHECK(count > 0);
    CHECK(count == world.state.number(Note::changes));
    const std::string more = std::to_string(count + 1);
    for (const std::string& damage : {std::string("x\n"), more, std::string(), "-" + more + "\n"}) {
        world.put("status/changes", damage);
        CHECK_FALSE(why_apart(world.state, shown_changes(world.tree)));
    }
    world.put("status/changes", more + "\n");
    REQUIRE(why_apart(world.state, shown_changes(world.tree)));

    world.network.answers.erase(World::url(foo));
    world.ScriptedMaster::listed.erase("foo");
    world.event("foo", "remove project", 9);
    world.sync();
    REQUIRE(world.removals().size() == 1);
    world.lose_state();
    CHECK(world.removals().size() == 1);
    CHECK(world.state.totals().files == 0);
    CHECK(world.state.pending() == 0);
    CHECK_FALSE(world.state.number(Note::cursor));
    world.network.asked.clear();
    world.event("foo", "remove project", 9);
    world.sync();
    CHECK(world.left == 0);
    CHECK(world.listed() == " bar");
    CHECK(world.network.asked[World::url(bar)] == 1);
    CHECK(world.network.asked[bar.files[0].url] == 0);
    CHECK_FALSE(why_apart(world.state, shown_changes(world.tree)));
    CHECK(shown_changes(world.tree) > count);
}

TEST_CASE("a tree that is not the one of the state is told before anything is published") {
    Lost world;
    CHECK_FALSE(why_no_tree(world.state, world.tree));
    world.sync();
    world.bar_comes();
    CHECK_FALSE(why_no_tree(world.state, world.tree));
    const std::string part = GENERATE("simple", "packages");
    const auto path = world.directory.path() / "web" / part;
    std::filesystem::rename(path, world.directory.path() / "elsewhere");
    CHECK(why_no_tree(world.state, world.tree)->starts_with("web/" + part + ": nothing is there"));
    std::filesystem::create_directory(path);
    CHECK(why_no_tree(world.state, world.tree)->starts_with("web/" + part + ": nothing is there"));
    std::filesystem::remove(path);
    std::filesystem::create_directory_symlink("../elsewhere", path);
    CHECK(
        why_no_tree(world.state, world.tree)->starts_with("web/" + part + ": it is no directory"));
}
