// What goes wrong at this machine is not taken for something that the master said.
#include "support/catch.h"
#include "support/faults/machine.h"

using namespace pep381d;
using namespace sample;
using namespace std::chrono_literals;
using faults::Disks;
using faults::Fate;
using faults::Operation;

namespace {

struct Machine {
    ScriptedMaster from;
    Policy policy;
    Disks disks;
    Time now{1'900'000'000'000ms};

    Machine() {
        policy.master = master;
        policy.master_shown = master;
        policy.patience = 0ms;
    }
    faults::Ending pass(Fate&& fate = Fate()) {
        now += 1min;
        from.answer_polls();
        return faults::sync(disks, from, policy, now, fate);
    }
    std::string page_of(const std::string& name) {
        const auto file = disks.tree.find("web/simple/" + name + "/index.v1_json");
        return file ? file->bytes : std::string();
    }
};

}  // namespace

TEST_CASE("a file that cannot be read is not taken for another project's") {
    Machine machine;
    const File shared = sdist("shared-1.0.tar.gz");
    machine.from.publish(page("foo", 5, {shared}));
    REQUIRE(machine.pass().fatal.empty());
    machine.from.publish(page("bar", 7, {shared}));
    machine.from.event("bar", "create", 7);
    // The first is that of the count of changes.
    CHECK_THAT(machine.pass(Fate(faults::Fault::error, 2, Operation::open)).fatal,
               ContainsSubstring(shared.name.text()));
    CHECK(machine.page_of("bar").empty());
    REQUIRE(machine.pass().fatal.empty());
    CHECK_THAT(machine.page_of("bar"), ContainsSubstring(shared.name.text()));
}

TEST_CASE("a list that cannot be read here ends the program, and is not the master's fault") {
    Machine machine;
    machine.from.publish(page("foo", 5, {}));
    const Operation operation = GENERATE(Operation::open, Operation::read);
    const auto ending = machine.pass(Fate(faults::Fault::error, 1, operation));
    CHECK_FALSE(ending.failure);
    CHECK_THAT(ending.fatal, ContainsSubstring("Input/output error"));
    REQUIRE(machine.pass().fatal.empty());
    CHECK_FALSE(machine.page_of("foo").empty());
}
