// What each event does to pages, lists and journal.
#include "support/catch.h"
#include "support/sample/events.h"
#include "support/sample/population.h"
#include "support/sample/render.h"

namespace sample {
namespace {

const Bases bases{"http://pages", "http://files"};

struct World {
    Index index = populated(30, 120, 3);

    Event happens(const EventRequest& request) { return apply(index, request); }
    std::string page(const std::string& name, bool stale = false) const {
        const Project* project = index.shown(name, stale);
        return project == nullptr ? "404" : project_json(*project, bases);
    }
    bool in_root(const std::string& name) const { return has(index.list(false, false), name); }
    bool in_list(const std::string& name) const { return has(index.list(true, false), name); }
    std::string last_action() const { return index.journal().back().action; }

    static bool has(const std::vector<IndexEntry>& list, const std::string& name) {
        for (const auto& entry : list)
            if (entry.name == name) return true;
        return false;
    }
};

}  // namespace

TEST_CASE("each event tells the journal in PyPI's words") {
    struct Case {
        std::vector<std::string> actions;  // the last one is what is looked at
        std::string row;
    };
    const std::vector<Case> cases{
        {{"create"}, "add Owner user"},
        {{"new-project"}, "add "},
        {{"new-release"}, "add source file idna-"},
        {{"yank"}, "yank release"},
        {{"yank", "unyank"}, "unyank release"},
        {{"remove-file"}, "remove file idna-"},
        {{"remove-release"}, "remove release"},
        {{"remove-project"}, "remove project"},
        {{"quarantine"}, "project quarantined"},
        {{"quarantine", "clear-quarantine"}, "project quarantine cleared"},
        {{"quarantine-release"}, "release quarantined"},
        {{"quarantine-release", "clear-release-quarantine"}, "release quarantine cleared"}};
    for (const auto& one : cases) {
        World world;
        const auto before = world.index.serial();
        const bool is_new = one.actions[0] == "create" || one.actions[0] == "new-project";
        Event event;
        for (const auto& action : one.actions)
            event = world.happens({action, is_new ? "Brand.New" : "idna", {}, {}, {}});
        INFO(one.actions.back());
        CHECK(world.last_action().substr(0, one.row.size()) == one.row);
        CHECK(event.serial == world.index.serial());
        CHECK(event.serial > before);
        CHECK(event.project == (is_new ? "brand-new" : "idna"));
        if (const Project* shown = world.index.shown(event.project, false))
            CHECK(shown->serial == event.serial);
    }
}

TEST_CASE("a new release appears with its files, and a stale page does not know it") {
    World world;
    const auto before = world.page("idna");
    const auto event = world.happens({"new-release", "idna", "99.1", {}, {}});
    REQUIRE(event.touched.size() == 2);
    CHECK_THAT(world.page("idna"), ContainsSubstring("idna-99.1-py3-none-any.whl"));
    CHECK_THAT(world.page("idna"), ContainsSubstring(event.touched[0]));
    CHECK(world.index.blob(event.touched[0])->digests().path == event.touched[0]);
    CHECK(world.page("idna", true) == before);
    CHECK(world.index.told_serial(true) < event.serial);
}

TEST_CASE("a project that is new has no page in a stale answer") {
    World world;
    world.happens({"new-project", "Brand.New", {}, {}, {}});
    CHECK(world.page("brand-new", true) == "404");
    CHECK_THAT(world.page("brand-new"), ContainsSubstring("brand_new-"));
    CHECK(world.in_root("brand-new"));
}

TEST_CASE("yanking marks the release's files with the reason, and unyanking takes it off") {
    World world;
    world.happens({"yank", "idna", {}, {}, "a <b> \"c\""});
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("yanked":"a <b> \"c\"")"));
    world.happens({"unyank", "idna", {}, {}, {}});
    CHECK_THAT(world.page("idna"), !ContainsSubstring(R"("yanked":"a)"));
    world.happens({"yank", "idna", {}, {}, {}});
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("yanked":true)"));
}

TEST_CASE("a removed file leaves the page, but its bytes are still served") {
    World world;
    const auto event = world.happens({"remove-file", "idna", {}, {}, {}});
    REQUIRE(event.touched.size() == 1);
    CHECK_THAT(world.page("idna"), !ContainsSubstring(event.touched[0]));
    CHECK(world.index.blob(event.touched[0]) != nullptr);
}

TEST_CASE("a removed project leaves page and lists, and can come back without its files") {
    World world;
    const auto event = world.happens({"remove-project", "idna", {}, {}, {}});
    CHECK(world.page("idna") == "404");
    CHECK_FALSE(world.in_root("idna"));
    CHECK_FALSE(world.in_list("idna"));
    CHECK_FALSE(event.touched.empty());
    CHECK(world.index.blob(event.touched[0]) != nullptr);
    world.happens({"create", "IDNA", {}, {}, {}});
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("files":[])"));
}

TEST_CASE("a quarantined project keeps an empty page and its place in the XML-RPC list only") {
    World world;
    const auto before = world.page("idna");
    world.happens({"quarantine", "idna", {}, {}, {}});
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("files":[])"));
    CHECK_THAT(world.page("idna"),
               ContainsSubstring(R"("project-status":{"status":"quarantined"},"versions":[])"));
    CHECK_FALSE(world.in_root("idna"));
    CHECK(world.in_list("idna"));
    world.happens({"clear-quarantine", "idna", {}, {}, {}});
    CHECK(world.page("idna").substr(0, 500) == before.substr(0, 500));
}

TEST_CASE("a quarantined release is missing without a mark, until it is cleared") {
    World world;
    const auto event = world.happens({"quarantine-release", "idna", {}, {}, {}});
    REQUIRE_FALSE(event.touched.empty());
    CHECK_THAT(world.page("idna"), !ContainsSubstring(event.touched[0]));
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("status":"active")"));
    world.happens({"clear-release-quarantine", "idna", {}, {}, {}});
    CHECK_THAT(world.page("idna"), ContainsSubstring(event.touched[0]));
}

TEST_CASE("archiving changes the page, but neither serial nor journal") {
    World world;
    const auto serial = world.index.serial();
    const auto rows = world.index.journal().size();
    CHECK(world.happens({"archive", "idna", {}, {}, {}}).serial == serial);
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("status":"archived")"));
    world.happens({"unarchive", "idna", {}, {}, {}});
    CHECK_THAT(world.page("idna"), ContainsSubstring(R"("status":"active")"));
    CHECK(world.index.journal().size() == rows);
}

TEST_CASE("what cannot happen is refused, and nothing changes") {
    World world;
    const auto serial = world.index.serial();
    for (const EventRequest& request :
         {EventRequest{"no-such", {}, {}, {}, {}}, EventRequest{"yank", "nobody", {}, {}, {}},
          EventRequest{"yank", "idna", "0.0.0", {}, {}}, EventRequest{"unyank", "idna", {}, {}, {}},
          EventRequest{"create", "idna", {}, {}, {}},
          EventRequest{"clear-quarantine", "idna", {}, {}, {}},
          EventRequest{"remove-file", "idna", {}, "no-such.whl", {}}}) {
        INFO(request.action);
        CHECK_THROWS_AS(world.happens(request), std::invalid_argument);
    }
    CHECK(world.index.serial() == serial);
}

TEST_CASE("random events are the same for the same seed, of many kinds, and leave the five alone") {
    World one, two, three;
    const auto names = apply_random(one.index, 200, 5);
    CHECK(names == apply_random(two.index, 200, 5));
    CHECK(one.index.serial() == two.index.serial());
    CHECK(names != apply_random(three.index, 200, 6));
    for (const std::string name : {"requests", "urllib3", "idna", "certifi", "charset-normalizer"})
        CHECK(one.in_root(name));
    std::string told;
    const auto& journal = one.index.journal();
    for (auto row = journal.end() - 300; row != journal.end(); ++row) told += row->action + "\n";
    for (const std::string word :
         {"create\n", "new release\n", "yank release\n", "unyank release\n", "remove file ",
          "remove release\n", "remove project\n", "project quarantined\n",
          "project quarantine cleared\n", "release quarantined\n"}) {
        INFO(word);
        CHECK_THAT(told, ContainsSubstring(word));
    }
}

}  // namespace sample
