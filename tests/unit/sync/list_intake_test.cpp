// The full list of names, compared with what is published and what is queued.
#include "pep381d/sync/list_intake.h"

#include <algorithm>
#include <fstream>

#include "pep381d/tree/directory_tree.h"

#include "support/catch.h"
#include "support/sample_page.h"
#include "support/silent_log.h"
#include "support/temporary_directory.h"

using namespace pep381d;
using namespace sample;
using namespace std::chrono_literals;

namespace {

const Time noon{std::chrono::hours(500'000)};

ProjectName name(const std::string& text) {
    return *ProjectName::parse(text);
}

using List = std::vector<std::pair<std::string, std::int64_t>>;

struct World {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};
    State state{directory.path() / "state.db", State::Access::write};
    SilentLog log;
    Policy policy;
    std::unordered_set<std::string> under_way;

    void publish(const std::string& display, std::int64_t serial) {
        State::Change change(state);
        ProjectPage shown = page("any", serial, {});
        shown.name = name(display);
        state.record_page(shown, display, "", noon);
        change.commit();
    }

    Outcome<ListResult> take(
        const List& list,
        const std::string& end = "</struct></value></param></params></methodResponse>") {
        std::string xml = "<?xml version='1.0'?><methodResponse><params><param><value><struct>";
        for (const auto& [raw, serial] : list)
            xml += "<member><name>" + raw + "</name><value><int>" + std::to_string(serial) +
                   "</int></value></member>\n";
        std::ofstream(directory.path() / "staging" / "list") << xml << end;
        State::Change change(state);
        auto result = take_list(state, tree, policy, {noon, "staging/list"}, under_way, log);
        change.commit();
        return result;
    }

    List queued() {
        List all;
        for (const auto& some : {state.due(noon, 10'000), state.backlog("", 10'000)})
            for (const Queued& one : some) all.emplace_back(one.name.text(), one.serial.value);
        std::sort(all.begin(), all.end());
        return all;
    }
};

}  // namespace

TEST_CASE("a first list is queued whole, in whatever order it comes") {
    World world;
    const auto result = world.take({{"Zope", 3}, {"a.b", 9}, {"m", 4}});
    REQUIRE(result.ok());
    CHECK(result.value().names == 3);
    CHECK(result.value().queued == 3);
    CHECK(result.value().highest == Serial{9});
    CHECK(world.queued() == List{{"a-b", 9}, {"m", 4}, {"zope", 3}});
    CHECK(world.state.queued(name("zope"))->display == "Zope");
}

TEST_CASE("a name that the list has twice is queued once, with its highest serial") {
    World world;
    const auto result = world.take({{"foo_bar", 3}, {"z", 1}, {"Foo.Bar", 7}, {"foo-bar", 5}});
    REQUIRE(result.ok());
    CHECK(result.value().queued == 2);
    CHECK(world.queued() == List{{"foo-bar", 7}, {"z", 1}});
    CHECK(world.state.queued(name("foo-bar"))->display == "Foo.Bar");
}

TEST_CASE("only what is new, newer or missing is queued") {
    World world;
    for (int i = 0; i < 2500; ++i) world.publish("p" + std::to_string(i), 10);
    {
        State::Change change(world.state);
        world.state.set(Note::cursor, std::int64_t{20});
        change.commit();
    }
    List list;
    for (int i = 2499; i >= 0; --i)
        if (i != 1111)
            list.emplace_back((i == 7 ? "P" : "p") + std::to_string(i), i == 2222 ? 20 : 10);
    list.emplace_back("new", 15);
    const auto result = world.take(list);
    REQUIRE(result.ok());
    CHECK(result.value().absent == 1);
    CHECK(world.queued() == List{{"new", 15}, {"p1111", 0}, {"p2222", 20}});
    CHECK(world.state.queued(name("p1111"))->absent == noon);
    CHECK(world.state.deletion_candidates() == 1);
    CHECK(world.state.published(name("p7"))->display == "P7");

    // The next list has it again.
    list.emplace_back("p1111", 10);
    REQUIRE(world.take(list).ok());
    CHECK_FALSE(world.state.queued(name("p1111"))->absent);
    CHECK(world.state.deletion_candidates() == 0);
}

TEST_CASE("with deletes.policy keep, what a list lacks is not even looked at") {
    World world;
    world.publish("foo", 1);
    world.policy.keep_deleted = true;
    REQUIRE(world.take({{"bar", 2}}).ok());
    CHECK(world.queued() == List{{"bar", 2}});
}

TEST_CASE("of a list that ends in the middle nothing stays") {
    World world;
    world.publish("foo", 1);
    const auto before = world.state.number(Note::root_changes);
    const auto result =
        world.take({{"Foo", 2}, {"bar", 2}, {"not legal!", 1}}, "<member><name>x</na");
    REQUIRE_FALSE(result.ok());
    CHECK(result.failure().fault == Fault::corrupt);
    CHECK(world.queued().empty());
    CHECK(world.state.skipped(10).empty());
    CHECK(world.state.number(Note::root_changes) == before);
}

TEST_CASE("illegal names of a list are told of, and the rest is queued") {
    World world;
    REQUIRE(world.take({{"-bad-", 2}, {"good", 2}}).ok());
    CHECK(world.queued() == List{{"good", 2}});
    REQUIRE(world.state.skipped(10).size() == 1);
    CHECK(world.state.skipped(10)[0].name == "-bad-");
}
