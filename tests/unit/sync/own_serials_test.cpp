// Masters without serials: those in our pages are ours, and whoever mirrors us goes by them.
#include <limits>

#include "pep381d/sync/intake.h"

#include "support/catch.h"
#include "support/sync_world.h"

using namespace pep381d;
using namespace sample;

namespace {

// A master without serials, whose page has two files.
struct Unnumbered : SyncWorld {
    ProjectPage both = page("foo", 0, {sdist("foo-1.0.tar.gz"), sdist("foo-2.0.tar.gz")});

    explicit Unnumbered(bool digests = false) {
        policy.protocol = Protocol::simple;
        for (File& file : both.files) {
            file.url = std::string(master) + "/packages/source/f/foo/" + file.name.text();
            if (digests) continue;
            file.digests.clear();
            file.size.reset();
        }
        publish(both);
        network.answers[std::string(master) + "/simple/"] = {
            R"({"meta":{"api-version":"1.0"},"projects":[{"name":"foo"}]})"};
        one().conditional = two().conditional = true;
        REQUIRE_FALSE(pass());
        REQUIRE(left == 0);
    }
    ScriptedTransport::Answer& one() { return network.answers[both.files[0].url]; }
    ScriptedTransport::Answer& two() { return network.answers[both.files[1].url]; }
    Serial serial() { return state.published(both.name)->serial; }
    // After a while all pages are read again.
    std::int64_t sync_later() {
        clock.advance(25h);
        network.asked.clear();
        REQUIRE_FALSE(pass());
        return left;
    }
};

}  // namespace

TEST_CASE("where serials are ours, other bytes are told though not all files could be asked for") {
    Unnumbered world;
    const Serial first = world.serial();
    world.one().body = "other bytes";
    world.one().etag = "\"two\"";
    const auto good = std::exchange(world.two(), {{}, {}, {Fault::retry_later, "HTTP 503"}});
    CHECK(world.sync_later() == 1);
    const std::string path = *file_path(world.both.files[0]);
    CHECK(world.bytes(path) == "other bytes");
    const Serial second = world.serial();
    CHECK(second > first);

    // Nothing more has changed.
    CHECK(world.sync_later() == 1);
    CHECK(world.serial() == second);

    world.one().body = "and other ones";
    world.one().etag = "\"three\"";
    CHECK(world.sync_later() == 1);
    CHECK(world.bytes(path) == "and other ones");
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
    const Serial third = world.serial();
    CHECK(third > second);

    world.two() = good;
    CHECK(world.sync_later() == 0);
    CHECK(world.serial() == third);
    CHECK(world.state.page(world.both.name)->files[0].etag == "\"three\"");
}

TEST_CASE("where serials are ours, one that a page showed for a moment is not used again") {
    Unnumbered world(true);
    const std::string html = "simple/foo/index.v1_html";
    const auto place = world.directory.path() / "web" / html;
    const auto shown = [&] {
        const std::string text = world.page_of("foo"), key = "\"_last-serial\":";
        return std::stoll(text.substr(text.find(key) + key.size()));
    };
    const auto first = shown();
    // The formats that come before it are placed, and the page is not recorded.
    std::filesystem::remove(place);
    world.put(html + "/someone's", "someone's");
    world.both.files.back().yanked = true;
    world.publish(world.both);
    world.clock.advance(25h);
    std::int64_t second = 0;
    const auto mend = [&] {
        second = shown();
        std::filesystem::remove_all(place);
        world.both.files.front().yanked = true;
        world.publish(world.both);
    };
    SECTION("the next run") {
        REQUIRE_FALSE(world.pass());
        mend();
        REQUIRE_FALSE(world.pass());
    }
    SECTION("the same") {
        world.policy.patience = 1h;
        Staging staging(world.tree);
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
        world.hooks.report = [&](const Progress&) {
            const auto standing = committer.standing();
            if (standing.at_rest && standing.next_due && second == 0) {
                mend();
                committer.send(Retry{{world.both.name}});
            }
            if (second != 0) world.clock.advance(1min);
        };
        Engine engine(world.network, staging, committer, world.policy, world.clock, world.log,
                      false, world.hooks);
        committer.start([] {});
        REQUIRE_FALSE(engine.pass(true));
        committer.stop();
        committer.check();
    }
    CHECK(second > first);
    CHECK(world.state.pending() == 0);
    CHECK(shown() > second);
    CHECK(world.serial().value == shown());
}

TEST_CASE("where serials are ours, what a page shows for a while has one of its own") {
    Unnumbered world(true);
    const Serial first = world.serial();
    File& replaced = world.both.files[1];
    replaced.digests = {{Algorithm::sha256, sha256("other bytes")}};
    replaced.size = 11;
    SECTION("since a file of it cannot be had") {
        world.publish(world.both);
        world.two() = {{}, {}, {Fault::gone, "HTTP 404 Not Found"}};
    }
    SECTION("since a file of it has no place") {
        std::filesystem::remove(world.directory.path() / "web" / *file_path(replaced));
        world.put(*file_path(replaced) + "/someone's", "someone's");
        world.publish(world.both);
        world.two() = {"other bytes", "application/octet-stream"};
    }
    CHECK(world.sync_later() == 1);
    const Serial second = world.serial();
    CHECK(second > first);
    CHECK(world.state.page(world.both.name)->files.size() == 1);
    CHECK(world.sync_later() == 1);
    CHECK(world.serial() == second);

    // The master has no more than that, either.
    world.both.files.pop_back();
    world.publish(world.both);
    CHECK(world.sync_later() == 0);
    CHECK(world.serial() == second);
}

TEST_CASE("where serials are ours, a poll that began before them does not set them back") {
    Unnumbered world;
    const auto used = [&] { return world.state.number(Note::cursor).value_or(0); };
    const Serial then{used()}, now{used() + 5};
    Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
    use_serial(world.state, now);
    committer.start([] {});
    const MasterSaid said{Protocol::simple, {}, Dated::not_asked, {}};
    committer.send(PollDone{world.clock.now(), {}, then, true, said});
    committer.stop();
    committer.check();
    CHECK(used() == now.value);
}

TEST_CASE("where serials are ours, a row with a smaller one than the page is news too") {
    Unnumbered world;
    world.network.answers[SyncWorld::url(world.both)].conditional = true;
    world.one().body = "other bytes";
    world.one().etag = "\"two\"";
    world.clock.advance(1min);
    world.state.enqueue(world.both.name, "foo", Serial{world.serial().value - 1}, Loss::nothing,
                        world.clock.now(), true);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.bytes(*file_path(world.both.files[0])) == "other bytes");
}

TEST_CASE("what is read before the first list gets a serial of ours with it") {
    SyncWorld world;
    world.policy.protocol = Protocol::simple;
    const ProjectPage plain = page("foo", 0, {sdist("foo-1.0.tar.gz")});
    world.publish(plain);
    world.network.answers[std::string(master) + "/simple/"] = {
        R"({"meta":{"api-version":"1.0"},"projects":[{"name":"foo"}]})"};
    {
        Staging staging(world.tree);
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
        Engine engine(world.network, staging, committer, world.policy, world.clock, world.log,
                      false, world.hooks);
        world.state.enqueue(plain.name, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
        committer.restrict_to({plain.name});
        committer.start([] {});
        REQUIRE_FALSE(engine.pass(false));
        committer.stop();
        committer.check();
    }
    REQUIRE(world.there("simple/foo/index.v1_json"));
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.state.published(plain.name)->serial.value > 0);
}

TEST_CASE("where serials are ours, that of a first page that was not recorded is not used again") {
    Unnumbered world;
    const ProjectPage left_by_kill = page("bar", 0, {sdist("bar-1.0.tar.gz")});
    world.publish(left_by_kill);
    world.put("simple/bar/index.html", "what was placed before the kill");
    world.network.answers[std::string(master) + "/simple/"] = {
        R"({"meta":{"api-version":"1.0"},"projects":[{"name":"foo"},{"name":"bar"}]})"};
    world.clock.advance(1min);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    const std::int64_t listed = world.state.number(Note::list_serial).value_or(0);
    CHECK(world.state.published(left_by_kill.name)->serial.value > listed);
}

TEST_CASE("a page with a serial that was asked for before the list without any is asked again") {
    SyncWorld world;
    world.policy.protocol = Protocol::simple;
    constexpr std::int64_t lie = std::numeric_limits<std::int64_t>::max();
    const ProjectPage lying = page("foo", lie, {sdist("foo-1.0.tar.gz")});
    world.publish(lying);
    auto& root = world.network.answers[std::string(master) + "/simple/"];
    root = {R"({"meta":{"api-version":"1.0"},"projects":[{"name":"foo"}]})"};
    world.state.enqueue(lying.name, "foo", Serial{}, Loss::nothing, world.clock.now(), true);
    std::string in_the_way;
    {
        Committer committer(world.state, world.tree, world.policy, world.clock, world.log, false);
        committer.start([] {});
        auto item = committer.take();
        for (; !item; item = committer.take()) std::this_thread::yield();
        world.put("../staging/list", root.body);
        committer.send(ListArrived{world.clock.now(),
                                   "staging/list",
                                   ListForm::root_json,
                                   "",
                                   "",
                                   false,
                                   {Protocol::simple, {}, Dated::not_asked, 0}});
        PageReady read{lying};
        read.page.files[0].path = *file_path(lying.files[0]);
        read.page.files[0].held = true;
        read.display = "foo";
        read.handled = lying.serial;
        read.numbered = item->numbered;
        SECTION("it lies in memory") {}
        SECTION("it lies in staging") {
            read.text = page_text(world.policy, read.page);
            read.staged = stage_page(world.tree, world.policy, world.clock, lying.name, *read.text,
                                     "ready", false);
        }
        SECTION("a file of it has no place") {
            const File& file = read.page.files[0];
            in_the_way = file.path;
            world.put("../staging/file", "of foo");
            world.put(in_the_way + "/someone's", "someone's");
            committer.send(FileArrived{lying.name, "foo", file, false, "staging/file", {}, false});
            const auto staged = world.directory.path() / "staging/file";
            while (std::filesystem::exists(staged)) std::this_thread::yield();
        }
        committer.send(std::move(read));
        committer.stop();
        committer.check();
    }
    const auto used = [&] { return world.state.number(Note::cursor).value_or(0); };
    CHECK(used() < lie);
    CHECK(world.state.pending() == 1);
    CHECK_THAT(world.page_of("foo"), !ContainsSubstring(std::to_string(lie)));
    std::filesystem::remove(world.directory.path() / "staging/list");
    CHECK(std::filesystem::is_empty(world.directory.path() / "staging"));
    if (!in_the_way.empty())
        std::filesystem::remove_all(world.directory.path() / "web" / in_the_way);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.state.published(lying.name)->serial.value <= used());
    CHECK(used() < lie);
}

TEST_CASE("where serials are ours, one that is higher than all that are used is not gone below") {
    Unnumbered world(true);
    world.clock.advance(1h);
    // As versions left it that raised the highest after the page.
    const Serial shown = world.serial();
    world.state.set(Note::cursor, shown.value - 100);
    world.state.enqueue(world.both.name, "foo", Serial{shown.value - 50}, Loss::nothing,
                        world.clock.now(), true);
    world.both.files.back().yanked = true;
    world.publish(world.both);
    REQUIRE_FALSE(world.pass());
    CHECK(world.left == 0);
    CHECK(world.serial() > shown);
}
