// Every place at which a pass can break: the n-th operation on the disk fails, or is the last one,
// for n = 1, 2, 3 ... until a pass runs through; then the power fails as well, in every way that
// what was not flushed allows. What is left must be a mirror, and the next pass must end at the
// master's state without fetching again what lies there whole.
//
// PEP381D_EVERY_PLACE=all takes every way at every place, and prints what it counted.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>

#include "pep381d/master/page_json.h"
#include "pep381d/pages/root_index.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/tree/layout.h"

#include "support/catch.h"
#include "support/faults/inspection.h"
#include "support/faults/machine.h"

using namespace pep381d;
using namespace sample;
using namespace std::chrono_literals;
using faults::Disks;
using faults::Fate;
using faults::Truth;
using faults::Violations;
using faults::Volume;

namespace {

const Time first_poll{1'900'000'000'000ms};
const Time second_poll = first_poll + 1h;
const Time last_poll = first_poll + 2h;

struct Scenario {
    std::string name;
    ScriptedMaster master;
    Policy policy;
    Disks start;
    Truth truth;
};

Policy usual_policy() {
    Policy policy;
    policy.master = master;
    policy.master_shown = master;
    policy.patience = 0ms;
    return policy;
}

// A file of the master with these bytes, at the place that its name gives it.
File file_of(const std::string& name, const std::string& bytes) {
    File file = sdist(name);
    file.digests = {{Algorithm::sha256, sha256(bytes)}};
    file.size = static_cast<std::int64_t>(bytes.size());
    return file;
}

struct Shown {
    std::string display;
    ProjectPage page;
};

// The pages that the master has now, as the mirror is to show them, by name.
std::map<std::string, Shown> pages_of(const Scenario& scenario) {
    std::map<std::string, Shown> pages;
    for (const auto& [display, serial] : scenario.master.listed) {
        const ProjectName project = *ProjectName::parse(display);
        if (!scenario.policy.filter.wants(project)) continue;
        const std::string url = std::string(master) + "/simple/" + project.text() + "/";
        auto read = read_page_json(scenario.master.network.answers.at(url).body, url, project);
        REQUIRE(read);
        auto plan = plan_page(std::move(read).value().page, nullptr, scenario.policy.page);
        for (File& file : plan.page.files) {
            file.held = true;
            file.metadata_held = file.core_metadata.offered;
        }
        pages.emplace(project.text(), Shown{display, std::move(plan.page)});
    }
    return pages;
}

void note_files(const ScriptedMaster& from, const ProjectPage& page,
                std::map<std::string, int>& claims, Truth& truth) {
    bool provable = true;
    const auto note = [&](const std::string& path, const std::string& url) {
        const std::string& bytes = from.network.answers.at(url).body;
        auto& contents = truth.contents["web/" + path];
        const std::string hex = to_hex(sha256(bytes));
        contents[bytes] = hex;
        if (contents.size() > 1) truth.replaced.insert("web/" + path);
        truth.tree["web/" + path] = bytes;
        // What has no digest is nobody's to know, and what two projects name is fetched twice.
        if (provable && ++claims[url] == 1) truth.urls[hex].insert(url);
        if (claims[url] > 1) truth.urls[hex].erase(url);
    };
    for (const File& file : page.files) {
        provable = !file.digests.empty();
        note(file.path, file.url);
        ++truth.files;
        truth.bytes += file.size.value_or(0);
        if (file.core_metadata.offered) note(file.path + ".metadata", file.url + ".metadata");
    }
}

// What the mirror must be in the end; what it was before stays allowed on the way.
void settle(Scenario& scenario) {
    Truth& truth = scenario.truth;
    truth.tree.clear();
    truth.urls.clear();
    truth.files = truth.bytes = 0;
    const Policy& policy = scenario.policy;
    const Serial newest{scenario.master.newest};
    std::map<std::string, int> claims;  // of URLs: projects that name them
    std::string html, json;
    begin_root_html(html);
    begin_root_json(json, newest);
    bool first = true;
    for (const auto& [name, shown] : pages_of(scenario)) {
        const ProjectPage& page = shown.page;
        note_files(scenario.master, page, claims, truth);
        const auto put = [&](const std::string& path, const std::string& bytes) {
            truth.tree["web/" + path] = bytes;
        };
        if (policy.html) put(layout::page_html(page.name), project_html(page));
        if (policy.html) put(layout::page_v1_html(page.name), project_html(page));
        if (policy.json) put(layout::page_json(page.name), project_json(page));
        if (page.quarantined()) continue;
        add_root_html(html, {name, shown.display, page.serial});
        add_root_json(json, {name, shown.display, page.serial}, first);
        first = false;
    }
    end_root_html(html, newest);
    end_root_json(json);
    if (policy.html) truth.tree[layout::root_html] = truth.tree[layout::root_v1_html] = html;
    if (policy.json) truth.tree[layout::root_json] = json;
}

// Mirrors what the master has at first, without a fault.
void begin_with_a_mirror(Scenario& scenario) {
    scenario.master.answer_polls();
    settle(scenario);
    Fate well;
    (void)faults::sync(scenario.start, scenario.master, scenario.policy, first_poll, well);
    REQUIRE(faults::inspect_end(scenario.start.tree, scenario.truth, first_poll) == Violations{});
    scenario.start.tree.flush();
    scenario.start.state.flush();
    scenario.truth.before = first_poll;
    scenario.master.events.clear();
}

ProjectPage with_serial(ProjectPage page, std::int64_t serial) {
    page.serial = Serial{serial};
    return page;
}

Scenario first_pass() {
    Scenario scenario{"first pass", {}, usual_policy(), {}, {}};
    ScriptedMaster& from = scenario.master;
    const std::string large(1'060'000, 'x');
    File big = file_of("big-1.0.tar.gz", large);
    File unknown = sdist("unknown-1.0.tar.gz");
    unknown.digests.clear();
    const File shared = sdist("shared-1.0.tar.gz");
    from.publish(page("big", 3, {big, sdist("big-0.9.tar.gz")}));
    from.network.answers[big.url].body = large;
    from.publish(page("foo", 5, {wheel("foo-1.0-py3-none-any.whl"), shared}));
    from.publish(page("bar", 7, {shared, unknown}));
    from.publish(page("empty", 8, {}));
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_poll;
    return scenario;
}

Scenario changes() {
    Scenario scenario{"incremental pass with removals", {}, usual_policy(), {}, {}};
    ScriptedMaster& from = scenario.master;
    const File kept = wheel("foo-1.0-py3-none-any.whl");
    const auto foo = page("foo", 5, {kept, sdist("foo-1.0.tar.gz")});
    const auto gone = page("gone", 6, {wheel("gone-1.0-py3-none-any.whl")});
    const auto bad = page("bad", 7, {sdist("bad-1.0.tar.gz")});
    const auto yanked = page("yanked", 8, {sdist("yanked-1.0.tar.gz")});
    const auto swapped = page("swapped", 9, {sdist("swapped-1.0.tar.gz")});
    const auto named = page("named", 10, {});
    for (const auto& one : {foo, gone, bad, yanked, swapped, named}) from.publish(one);
    begin_with_a_mirror(scenario);

    from.publish(page("foo", 21, {kept, wheel("foo-2.0-py3-none-any.whl")}));
    from.event("foo", "remove file foo-1.0.tar.gz", 21);
    from.network.answers.erase(ScriptedMaster::url(gone));
    from.listed.erase("gone");
    from.event("gone", "remove project", 22);
    auto quarantined = page("bad", 23, {});
    quarantined.status.status = "quarantined";
    quarantined.members = R"("project-status":{"status":"quarantined"},"versions":[])";
    from.publish(quarantined);
    from.event("bad", "project quarantined", 23);
    auto less = with_serial(yanked, 24);
    less.files[0].yanked = "broken";
    from.publish(less);
    from.event("yanked", "yank release", 24);
    auto other = with_serial(swapped, 25);
    other.files[0] = file_of("swapped-1.0.tar.gz", "other bytes");
    from.publish(other);
    from.network.answers[other.files[0].url].body = "other bytes";
    from.event("swapped", "add source file swapped-1.0.tar.gz", 25);
    from.publish(with_serial(named, 26));
    from.listed.erase("named");
    from.listed["Named"] = 26;
    from.event("Named", "new release", 26);
    from.publish(page("new", 27, {sdist("new-1.0.tar.gz")}));
    from.event("new", "create", 27);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_poll;
    return scenario;
}

Scenario other_root(const std::string& name, const std::function<void(Policy&)>& before,
                    const std::function<void(Policy&)>& after) {
    Scenario scenario{name, {}, usual_policy(), {}, {}};
    ScriptedMaster& from = scenario.master;
    const auto foo = page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")});
    for (const auto& one : {foo, page("bar", 6, {sdist("bar-1.0.tar.gz")}), page("empty", 7, {})})
        from.publish(one);
    before(scenario.policy);
    begin_with_a_mirror(scenario);
    after(scenario.policy);
    from.publish(with_serial(foo, 21));
    from.listed.erase("foo");
    from.listed["FOO"] = 21;
    from.event("FOO", "new release", 21);
    from.publish(page("new", 22, {sdist("new-1.0.tar.gz")}));
    from.event("new", "create", 22);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_poll;
    return scenario;
}

struct Tally {
    int faults = 0;
    int ended = 0;  // passes that went on in spite of the fault
    int disks = 0;
    std::set<std::size_t> seen;             // of them, by their fingerprints
    std::map<std::string, int> violations;  // with the first place of each
    std::map<std::string, std::string> places;

    void add(const Violations& found, const std::string& place) {
        for (const std::string& what : found)
            if (violations[what]++ == 0) places[what] = place;
    }
};

struct Cut {
    Volume::Loss tree, state;
};

// What a power cut leaves, in every way; none of them is that the power stays.
std::vector<Cut> cuts(const Disks& disks) {
    constexpr Volume::Loss everything{Volume::Damage::everything, 0, 0};
    std::vector<Cut> all{{{}, {}}, {everything, everything}, {everything, {}}, {{}, everything}};
    for (const Volume::Loss& loss : disks.tree.losses(false)) all.push_back({loss, {}});
    for (const Volume::Loss& loss : disks.state.losses(true)) all.push_back({{}, loss});
    return all;
}

bool everything() {
    const char* wish = std::getenv("PEP381D_EVERY_PLACE");
    return wish != nullptr && std::string(wish) == "all";
}

std::size_t fingerprint(const Disks& disks) {
    std::size_t print = 0;
    const auto add = [&](const std::string& text) {
        print = print * 1'000'003 + std::hash<std::string>()(text);
    };
    for (const Volume* volume : {&disks.tree, &disks.state})
        for (const auto& [path, file] : volume->names()) {
            add(path);
            add(file->bytes);
        }
    return print;
}

// What is found is a mirror, and a pass without faults brings it to the master's state.
void go_on(const Scenario& scenario, Disks found, const std::string& place, Tally& tally) {
    ++tally.disks;
    if (!tally.seen.insert(fingerprint(found)).second) return;
    const Truth& truth = scenario.truth;
    tally.add(faults::inspect(found.tree, truth), place);
    const auto whole = faults::whole_files(found.tree, truth);
    const faults::Looks looks{
        [&](State& state) { tally.add(faults::inspect(state, found.tree, truth), place); },
        [&](State& state) { tally.add(faults::inspect_end(state, found.tree, truth), place); }};
    Fate well;
    const auto ending =
        faults::sync(found, scenario.master, scenario.policy, last_poll, well, looks);
    tally.add(faults::inspect_end(found.tree, truth, last_poll), place);
    if (!ending.fatal.empty()) tally.add({"the next pass fails: " + ending.fatal}, place);
    if (ending.failure) tally.add({"the next poll fails: " + ending.failure->what}, place);
    for (const std::string& url : whole)
        if (ending.asked.contains(url)) tally.add({url + " is fetched again"}, place);
}

// False where the pass had fewer operations.
bool visit(const Scenario& scenario, faults::Fault fault, int n, Tally& tally) {
    Disks disks = scenario.start;
    Fate fate(fault, n);
    const auto ending = faults::sync(disks, scenario.master, scenario.policy, second_poll, fate);
    if (!fate.struck()) return false;
    ++tally.faults;
    if (ending.fatal.empty()) ++tally.ended;
    const std::string where = std::string(faults::name_of(fault)) + " at " + std::to_string(n) +
                              " (" + faults::name_of(fate.where()) + ")";
    auto all = cuts(disks);
    if (!everything()) {
        // The power stays, everything is lost, and another one at each place.
        const auto at = static_cast<std::size_t>(n) * 7 % all.size();
        all = {all[0], all[1], all[at]};
    }
    for (const Cut& cut : all)
        go_on(scenario, {disks.tree.after(cut.tree), disks.state.after(cut.state)},
              where + ", tree lost " + disks.tree.describe(cut.tree) + ", state lost " +
                  disks.state.describe(cut.state),
              tally);
    return true;
}

void visit_every_place(const Scenario& scenario) {
    Tally tally;
    for (const auto fault : {faults::Fault::stop, faults::Fault::tear, faults::Fault::error,
                             faults::Fault::full, faults::Fault::lose})
        for (int n = 1; visit(scenario, fault, n, tally); ++n) {
        }
    std::string all;
    int violations = 0;
    for (const auto& [what, times] : tally.violations) {
        violations += times;
        all +=
            what + " (" + std::to_string(times) + " times, first at " + tally.places[what] + ")\n";
    }
    if (everything())
        std::printf(
            "every place: %s: faults=%d survived=%d disks=%d distinct=%zu "
            "violations=%d\n",
            scenario.name.c_str(), tally.faults, tally.ended, tally.disks, tally.seen.size(),
            violations);
    INFO(all);
    CHECK(violations == 0);
}

}  // namespace

TEST_CASE("a first pass may break at every place", "[every-place]") {
    visit_every_place(first_pass());
}

TEST_CASE("a pass with changes and removals may break at every place", "[every-place]") {
    visit_every_place(changes());
}

TEST_CASE("a change of the root index may break at every place", "[every-place]") {
    visit_every_place(other_root(
        "formats given up", [](Policy&) {}, [](Policy& policy) { policy.html = false; }));
    visit_every_place(other_root(
        "formats added, a project left out", [](Policy& policy) { policy.html = false; },
        [](Policy& policy) {
            policy.html = true;
            policy.filter = Filter({"*"}, {"bar"});
        }));
}
