// Every place at which a pass can break: the n-th operation on the disk fails, or is the last one,
// for n = 1, 2, 3 ... until a pass runs through; then the power fails as well, in every way that
// what was not flushed allows. What is left must be a mirror, and the next pass must end at the
// master's state without fetching again what lies there whole.
//
// PEP381D_EVERY_PLACE=all takes every way at every place, and prints what it counted; a number N
// takes each N-th place only, for the sanitizers: they judge code that runs, not what it leaves.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "pep381d/sync/knowledge.h"
#include "pep381d/sync/verification.h"

#include "support/catch.h"
#include "support/faults/scenario.h"
#include "support/signers.h"

using namespace pep381d;
using faults::Disks;
using faults::Fate;
using faults::Scenario;
using faults::Truth;
using faults::Violations;
using faults::Volume;

namespace {

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

// Each look verifies the signatures of all pages, which is most of the time of these tests.
constexpr int signed_step = 5;

std::string wish() {
    const char* given = std::getenv("PEP381D_EVERY_PLACE");
    return given == nullptr ? "" : given;
}

bool everything() {
    return wish() == "all";
}

// Of `usual` places that are passed over.
int step_of(int usual) {
    return everything() ? 1 : usual * std::max(1, std::atoi(wish().c_str()));
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
            if (file->cached) add(file->durable);
        }
    return print;
}

std::string told(const Finding& finding) {
    return "verifying finds " + std::string(name_of(finding.flaw)) + " " + finding.path + ": " +
           finding.cause;
}

bool links_to_any(const Finding& finding, const std::set<std::string>& damaged) {
    return std::any_of(damaged.begin(), damaged.end(), [&](const std::string& path) {
        return finding.cause.starts_with("it links to " + path + ": ");
    });
}

// Of the files that were being replaced when a run was killed, those that the next start has found
// to be others than their page says: it has written that down, and not yet replaced the page.
std::set<std::string> noted(State& state, const Scenario& scenario) {
    const std::string mark = "damaged/";
    std::set<std::string> all;
    for (const std::string& path : state.intended())
        if (path.starts_with(mark)) all.insert("web/" + path.substr(mark.size()));
    std::erase_if(all, [&](const auto& path) { return !scenario.truth.replaced.contains(path); });
    return all;
}

// Whether a page or a root index may lie because of it (design 2.1 to 2.3). No root index at all
// does not, while formats change; nor does one file in the place of another, until it is recorded.
bool is_violation(const Finding& finding, const Scenario& scenario,
                  const std::set<std::string>& noted) {
    const bool root =
        finding.path.find('/', std::string("web/simple/").size()) == std::string::npos;
    if (!is_fault(finding.flaw) || scenario.damaged.contains(finding.path)) return false;
    if (finding.flaw == Flaw::missing && root && finding.path.starts_with("web/simple/"))
        return false;
    // What a repair has found is told of the page that links to it still.
    if (finding.flaw == Flaw::dead_link &&
        (links_to_any(finding, scenario.damaged) || links_to_any(finding, noted)))
        return false;
    // Nor does a key that nobody can see.
    if (finding.flaw == Flaw::missing && finding.path.starts_with("web/serverkey")) return false;
    return !scenario.truth.replaced.contains(finding.path);
}

// What is found is a mirror, but for damage that was there at the beginning.
void inspect_found(const Scenario& scenario, const Disks& found, State& state, FileTree& tree,
                   const std::string& place, Tally& tally) {
    Violations all = faults::inspect(found.tree, scenario.truth);
    for (std::string& what : faults::inspect(state, found.tree, scenario.truth))
        all.push_back(std::move(what));
    std::erase_if(all, [&](const auto& what) { return scenario.violations.contains(what); });
    const auto replaced = noted(state, scenario);
    for (const Finding& finding : verify(state, tree, true))
        if (is_violation(finding, scenario, replaced)) all.push_back(told(finding));
    tally.add(all, place);
}

// What is left in the end is the master's, and nothing else.
void inspect_left(const Scenario& scenario, const Disks& left, State& state, FileTree& tree,
                  const std::string& place, Tally& tally) {
    tally.add(faults::inspect_end(state, left.tree, scenario.truth), place);
    for (const Finding& finding : verify(state, tree, true))
        tally.add({"in the end " + told(finding)}, place);
}

// What is found is a mirror, and a pass without faults brings it to the master's state.
void go_on(const Scenario& scenario, Disks found, const std::string& place, Tally& tally) {
    ++tally.disks;
    if (!tally.seen.insert(fingerprint(found)).second) return;
    const auto whole = faults::whole_files(found.tree, scenario.truth);
    const faults::Looks looks{[&](State& state, FileTree& tree) {
                                  inspect_found(scenario, found, state, tree, place, tally);
                              },
                              [&](State& state, FileTree& tree) {
                                  inspect_left(scenario, found, state, tree, place, tally);
                              }};
    Fate well;
    const auto ending =
        scenario.errand(found, scenario.master, scenario.policy, faults::last_time, well, looks);
    const bool tree_dropped = found.tree.drop_cache(), state_dropped = found.state.drop_cache();
    if (tree_dropped || state_dropped) faults::look(found, looks.after);
    tally.add(faults::inspect_end(found.tree, scenario.truth, scenario.end), place);
    if (!ending.fatal.empty()) tally.add({"the next pass fails: " + ending.fatal}, place);
    if (ending.failure) tally.add({"the next poll fails: " + ending.failure->what}, place);
    if (ending.not_mended != 0) tally.add({"something cannot be mended"}, place);
    for (const std::string& url : whole)
        if (ending.asked.contains(url)) tally.add({url + " is fetched again"}, place);
}

// False where the pass had fewer operations.
bool visit(const Scenario& scenario, faults::Fault fault, int n, Tally& tally) {
    Disks disks = scenario.start;
    Fate fate(fault, n);
    const auto ending =
        scenario.errand(disks, scenario.master, scenario.policy, faults::second_time, fate, {});
    if (!fate.struck()) return false;
    ++tally.faults;
    if (ending.fatal.empty()) ++tally.ended;
    const std::string where = std::string(faults::name_of(fault)) + " at " + std::to_string(n) +
                              " (" + faults::name_of(fate.where()) + ")";
    auto all = cuts(disks);
    if (!everything()) {
        // The power stays; or everything is lost, or another one at each place.
        const auto at = static_cast<std::size_t>(n) * 7 % all.size();
        all = {all[0], n % 2 == 0 ? all[1] : all[at]};
    }
    for (const Cut& cut : all)
        go_on(scenario, {disks.tree.after(cut.tree), disks.state.after(cut.state)},
              where + ", tree lost " + disks.tree.describe(cut.tree) + ", state lost " +
                  disks.state.describe(cut.state),
              tally);
    return true;
}

// `step`: every so-manieth place only, but for PEP381D_EVERY_PLACE=all.
void check(const Tally& tally, const std::string& name) {
    std::string all;
    int violations = 0;
    for (const auto& [what, times] : tally.violations) {
        violations += times;
        all += what + " (" + std::to_string(times) + " times, first at " + tally.places.at(what) +
               ")\n";
    }
    if (everything())
        std::printf(
            "every place: %s: faults=%d survived=%d disks=%d distinct=%zu "
            "violations=%d\n",
            name.c_str(), tally.faults, tally.ended, tally.disks, tally.seen.size(), violations);
    INFO(all);
    CHECK(violations == 0);
}

void visit_every_place(const Scenario& scenario, int step = 1) {
    Tally tally;
    step = step_of(step);
    for (const auto fault : {faults::Fault::stop, faults::Fault::tear, faults::Fault::error,
                             faults::Fault::full, faults::Fault::lose, faults::Fault::forget})
        for (int n = 1; visit(scenario, fault, n, tally); n += step) {
        }
    check(tally, scenario.name);
}

}  // namespace

TEST_CASE("a first pass may break at every place", "[every-place]") {
    visit_every_place(faults::first_pass());
}

TEST_CASE("a pass with changes and removals may break at every place", "[every-place]") {
    visit_every_place(faults::changes_and_removals());
}

TEST_CASE("a pass over changes that the master then takes back may break at every place",
          "[every-place]") {
    visit_every_place(faults::changes_taken_back(false));
    visit_every_place(faults::changes_taken_back(true));
}

TEST_CASE("a change of the root index may break at every place", "[every-place]") {
    visit_every_place(faults::formats_given_up());
    visit_every_place(faults::formats_added());
}

TEST_CASE("a signed pass with changes and removals may break at every place", "[every-place]") {
    visit_every_place(faults::changes_and_removals(sample::quick_signer(0)), signed_step);
}

TEST_CASE("a change of the signing keys may break at every place", "[every-place]") {
    visit_every_place(faults::keys_changed(nullptr, sample::quick_signer(0)), signed_step);
    visit_every_place(faults::keys_changed(sample::quick_signer(0), sample::quick_signer(1)),
                      signed_step);
    visit_every_place(faults::keys_changed(sample::quick_signer(0), nullptr), signed_step);
}

TEST_CASE("a pass over copied pages may break at every place", "[every-place]") {
    visit_every_place(faults::copies_changed(sample::quick_signer(0)), signed_step);
    visit_every_place(faults::copies_changed(nullptr), signed_step);
}

TEST_CASE("a change of pages.mode may break at every place", "[every-place]") {
    visit_every_place(faults::copies_begun(sample::quick_signer(0)), signed_step);
    visit_every_place(faults::copies_ended(sample::quick_signer(0)), signed_step);
}

// A flush fails at every place, and the pass after it believes what memory has, until the power
// fails as well.
TEST_CASE("what a failed flush has left in memory alone is not built upon", "[every-place]") {
    const Scenario scenario = faults::changes_and_removals();
    const int step = step_of(7);
    Tally tally;
    for (int n = 1;; ++n) {
        Disks forgotten = scenario.start;
        Fate first(faults::Fault::forget, n);
        (void)scenario.errand(forgotten, scenario.master, scenario.policy, faults::second_time,
                              first, {});
        if (!first.struck()) break;
        forgotten = {forgotten.tree.after({}), forgotten.state.after({})};
        for (int m = 1 + n % step;; m += step) {
            Disks disks = forgotten;
            Fate second(faults::Fault::stop, m);
            (void)scenario.errand(disks, scenario.master, scenario.policy, faults::second_time,
                                  second, {});
            if (!second.struck()) break;
            ++tally.faults;
            constexpr Volume::Loss everything{Volume::Damage::everything, 0, 0};
            go_on(scenario, {disks.tree.after(everything), disks.state.after(everything)},
                  "forget at " + std::to_string(n) + " (" + faults::name_of(first.where()) +
                      "), stop at " + std::to_string(m) + " (" + faults::name_of(second.where()) +
                      "), all lost",
                  tally);
        }
    }
    check(tally, scenario.name + ", a flush before it fails");
}

namespace {

// A pass with another configuration breaks at every place, and the next one has the first again.
void turn_back(const Scenario& scenario, const Policy& other) {
    for (const auto fault : {faults::Fault::stop, faults::Fault::error})
        for (int n = 1;; n += step_of(1)) {
            Disks disks = scenario.start;
            Fate fate(fault, n);
            (void)faults::sync(disks, scenario.master, other, faults::second_time, fate);
            if (!fate.struck()) break;
            Fate well;
            (void)faults::sync(disks, scenario.master, scenario.policy, faults::last_time, well);
            INFO(faults::name_of(fault) << " at " << n);
            REQUIRE(faults::inspect_end(disks.tree, scenario.truth, faults::last_time) ==
                    Violations{});
        }
}

}  // namespace

TEST_CASE("who turns back in the middle of a change of pages.mode has copies again",
          "[every-place]") {
    const Scenario scenario = faults::copies_changed(sample::quick_signer(0));
    Policy ours = scenario.policy;
    ours.copy = false;
    turn_back(scenario, ours);
}

TEST_CASE("who turns back in the middle of a change of formats has them again", "[every-place]") {
    Scenario scenario = faults::changes_and_removals();
    Fate well;
    (void)faults::sync(scenario.start, scenario.master, scenario.policy, faults::second_time, well);
    Policy less = scenario.policy;
    less.html = false;
    turn_back(scenario, less);
}

TEST_CASE("another key of the master's may break at every place", "[every-place]") {
    visit_every_place(faults::master_key_changed(sample::quick_signer(0), sample::quick_signer(1)),
                      signed_step);
}

// As a state from before the pass, whose configuration need not be this one's.
TEST_CASE("whatever a pass has changed when it breaks tells a state that is put back",
          "[every-place]") {
    const auto published = [](const Volume& tree) {
        std::map<std::string, std::string> all;
        for (const auto& [path, file] : tree.names())
            if (path.starts_with("web/simple/") || path.starts_with("web/packages/"))
                all.emplace(path, file->bytes);
        return all;
    };
    for (const Scenario& scenario :
         {faults::changes_and_removals(), faults::formats_given_up(), faults::formats_added(),
          faults::copies_changed(nullptr), faults::damage()}) {
        const auto before = published(scenario.start.tree);
        int told = 0;
        for (int n = 1;; n += step_of(1)) {
            Disks disks = scenario.start;
            Fate fate(faults::Fault::stop, n);
            (void)scenario.errand(disks, scenario.master, scenario.policy, faults::second_time,
                                  fate, {});
            if (published(disks.tree) != before)
                faults::look({disks.tree.after({}), scenario.start.state},
                             [&](State& state, FileTree& tree) {
                                 INFO(scenario.name << ": stop at " << n);
                                 CHECK(why_apart(state, shown_changes(tree)));
                                 ++told;
                             });
            if (!fate.struck()) break;
        }
        CHECK(told > 0);
    }
}

TEST_CASE("verify with repair may break at every place", "[every-place]") {
    visit_every_place(faults::damage());
}

// A sync looks for no damage; but what a repair has begun to take away comes back with it.
TEST_CASE("a sync goes on where verify with repair breaks", "[every-place]") {
    const Scenario scenario = faults::damage();
    Tally tally;
    for (const auto fault : {faults::Fault::stop, faults::Fault::tear, faults::Fault::lose})
        for (int n = 1;; n += step_of(1)) {
            Disks disks = scenario.start;
            Fate fate(fault, n);
            (void)scenario.errand(disks, scenario.master, scenario.policy, faults::second_time,
                                  fate, {});
            if (!fate.struck()) break;
            ++tally.faults;
            Fate well;
            (void)faults::sync(disks, scenario.master, scenario.policy, faults::last_time, well,
                               {});
            for (const auto& [path, bytes] : scenario.truth.tree) {
                const auto before = scenario.start.tree.find(path), now = disks.tree.find(path);
                const bool untouched = before ? now && now->bytes == before->bytes : !now;
                if (!untouched && !(now && now->bytes == bytes))
                    tally.add({path + (now ? " is another" : " is gone")},
                              std::string(faults::name_of(fault)) + " at " + std::to_string(n) +
                                  " (" + faults::name_of(fate.where()) + ")");
            }
        }
    CHECK(tally.faults > 0);
    check(tally, scenario.name + ", then sync");
}
