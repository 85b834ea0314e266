#include <functional>

#include "support/faults/scenario_making.h"

namespace faults {

using namespace pep381d;
using namespace sample;

namespace {

Scenario other_root(const std::string& name, const std::function<void(Policy&)>& before,
                    const std::function<void(Policy&)>& after) {
    Scenario scenario = scenario_of(name);
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
    scenario.truth.poll = second_time;
    return scenario;
}

void quarantine(ScriptedMaster& from, const ProjectPage& held, std::int64_t serial) {
    auto quarantined = page(held.name.text(), serial, {});
    quarantined.status.status = "quarantined";
    quarantined.members = R"("project-status":{"status":"quarantined"},"versions":[])";
    from.publish(quarantined);
    from.event(held.name.text(), "project quarantined", serial);
}

void yank(ScriptedMaster& from, const ProjectPage& held, std::int64_t serial) {
    auto less = with_serial(held, serial);
    less.files[0].yanked = true;
    less.files[0].yanked_reason = "broken";
    from.publish(less);
    from.event(held.name.text(), "yank release", serial);
}

// Its first file gets other bytes in its place.
void replace_file(ScriptedMaster& from, const ProjectPage& held, std::int64_t serial) {
    auto other = with_serial(held, serial);
    other.files[0] = file_of(held.files[0].name.text(), "other bytes");
    from.publish(other);
    from.network.answers[other.files[0].url].body = "other bytes";
    from.event(held.name.text(), "add source file " + held.files[0].name.text(), serial);
}

// From now on the file has these bytes, wherever the page links to it.
void serve(Scenario& scenario, const File& file, const std::string& suffix,
           const std::string& bytes) {
    auto& answers = scenario.master.network.answers;
    const auto served = answers.find(file.url + suffix);
    served->second.body = bytes;
    const std::string copied = std::string(master) + "/" + *file_path(file) + suffix;
    if (scenario.policy.copy) answers[copied] = served->second;
}

// One gets other bytes, one another companion, one a file more.
void change_files(Scenario& scenario, const ProjectPage& swapped, const ProjectPage& noted,
                  const ProjectPage& grown) {
    ScriptedMaster& from = scenario.master;
    auto other = with_serial(swapped, 25);
    other.files[0] = file_of("swapped-1.0.tar.gz", "other bytes");
    publish_as_asked(scenario, other);
    serve(scenario, other.files[0], "", "other bytes");
    auto renoted = with_serial(noted, 26);
    renoted.files[0].core_metadata.sha256 = sha256("other metadata");
    publish_as_asked(scenario, renoted);
    serve(scenario, renoted.files[0], ".metadata", "other metadata");
    auto more = with_serial(grown, 27);
    more.files.push_back(wheel("grown-2.0-py3-none-any.whl"));
    publish_as_asked(scenario, more);
    for (const auto& [name, serial] : from.listed) from.event(name, "add py3 file x", serial);
    from.answer_polls();
    settle(scenario);
}

}  // namespace

Scenario first_pass() {
    Scenario scenario = scenario_of("first pass");
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
    scenario.truth.poll = second_time;
    return scenario;
}

Scenario changes_and_removals(std::shared_ptr<Signer> signer) {
    Scenario scenario =
        scenario_of(std::string(signer ? "signed " : "") + "incremental pass with removals");
    scenario.policy.signer = std::move(signer);
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
    quarantine(from, bad, 23);
    yank(from, yanked, 24);
    replace_file(from, swapped, 25);
    from.publish(with_serial(named, 26));
    from.listed.erase("named");
    from.listed["Named"] = 26;
    from.event("Named", "new release", 26);
    from.publish(page("new", 27, {sdist("new-1.0.tar.gz")}));
    from.event("new", "create", 27);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_time;
    return scenario;
}

Scenario changes_taken_back(bool copy) {
    Scenario scenario = scenario_of(std::string(copy ? "copied " : "") + "changes taken back");
    scenario.policy.copy = copy;
    ScriptedMaster& from = scenario.master;
    const auto swapped = page("swapped", 5, {sdist("swapped-1.0.tar.gz")});
    const auto noted = page("noted", 6, {wheel("noted-1.0-py3-none-any.whl")});
    const auto grown = page("grown", 7, {wheel("grown-1.0-py3-none-any.whl")});
    const auto publish_all = [&](std::int64_t serial) {
        for (const auto& one : {swapped, noted, grown})
            publish_as_asked(scenario, with_serial(one, one.serial.value + serial));
    };
    publish_all(0);
    begin_with_a_mirror(scenario);

    change_files(scenario, swapped, noted, grown);
    scenario.errand = [changed = from](Disks& disks, const ScriptedMaster& now,
                                       const Policy& policy, Time at, Fate& fate,
                                       const Looks& looks) {
        return sync(disks, at == second_time ? changed : now, policy, at, fate, looks);
    };
    scenario.violations.insert("last-modified is '" + format_basic(second_time) + "\n'");

    from.events.clear();
    publish_all(30);
    for (const auto& [name, serial] : from.listed)
        from.event(name, "remove file grown-2.0-py3-none-any.whl", serial);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = last_time;
    return scenario;
}

Scenario formats_given_up() {
    return other_root(
        "formats given up", [](Policy&) {}, [](Policy& policy) { policy.html = false; });
}

Scenario formats_added() {
    return other_root(
        "formats added, a project left out", [](Policy& policy) { policy.html = false; },
        [](Policy& policy) {
            policy.html = true;
            policy.filter = Filter({"*"}, {"bar"});
        });
}

Scenario keys_changed(std::shared_ptr<Signer> before, std::shared_ptr<Signer> after) {
    return other_root(
        "signing keys changed", [&](Policy& policy) { policy.signer = before; },
        [&](Policy& policy) { policy.signer = after; });
}

}  // namespace faults
