#include <functional>

#include "support/faults/scenario_making.h"

namespace faults {

using namespace pep381d;
using namespace sample;

// Before and after changes and a removal, and `turn` between the two.
static Scenario copying(const std::string& name, bool copy, std::shared_ptr<Signer> key,
                        const std::function<void(Scenario&)>& turn) {
    Scenario scenario = scenario_of(name);
    scenario.policy.copy = copy;
    scenario.master_key = std::move(key);
    ScriptedMaster& from = scenario.master;
    const File kept = wheel("foo-1.0-py3-none-any.whl");
    const auto gone = page("gone", 6, {wheel("gone-1.0-py3-none-any.whl")});
    const auto bar = page("bar", 7, {sdist("bar-1.0.tar.gz")});
    publish_as_asked(scenario, page("foo", 5, {kept, sdist("foo-1.0.tar.gz")}));
    publish_as_asked(scenario, gone);
    publish_as_asked(scenario, bar);
    begin_with_a_mirror(scenario);

    turn(scenario);
    publish_as_asked(scenario, bar);
    publish_as_asked(scenario, page("foo", 21, {kept, wheel("foo-2.0-py3-none-any.whl")}));
    from.event("foo", "remove file foo-1.0.tar.gz", 21);
    from.network.answers.erase(ScriptedMaster::url(gone));
    from.listed.erase("gone");
    from.event("gone", "remove project", 22);
    publish_as_asked(scenario, page("new", 27, {sdist("new-1.0.tar.gz"), sdist("new-2.0.tar.gz")}));
    from.event("new", "create", 27);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_time;
    return scenario;
}

Scenario copies_changed(std::shared_ptr<Signer> key) {
    const char* name = key ? "copied pages" : "copied pages without signatures";
    return copying(name, true, std::move(key), [](Scenario&) {});
}

Scenario copies_begun(std::shared_ptr<Signer> key) {
    return copying("pages copied from now on", false, std::move(key),
                   [](Scenario& scenario) { scenario.policy.copy = true; });
}

Scenario copies_ended(std::shared_ptr<Signer> key) {
    return copying("pages no longer copied", true, std::move(key),
                   [](Scenario& scenario) { scenario.policy.copy = false; });
}

Scenario master_key_changed(std::shared_ptr<Signer> before, std::shared_ptr<Signer> after) {
    return copying("another key of the master", true, std::move(before), [&](Scenario& scenario) {
        scenario.master_key = after;
        scenario.master.event("", "keyrotate ", 20);
    });
}

}  // namespace faults
