// What is to be done on which disks, and what must come of it.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/sync/policy.h"

#include "support/faults/inspection.h"
#include "support/faults/machine.h"
#include "support/scripted_master.h"

namespace faults {

// When the disks were made, when something goes wrong, and when all goes well again.
inline constexpr pep381d::Time first_time{std::chrono::milliseconds(1'900'000'000'000)};
inline constexpr pep381d::Time second_time = first_time + std::chrono::hours(1);
inline constexpr pep381d::Time last_time = first_time + std::chrono::hours(2);

struct Scenario {
    std::string name;
    sample::ScriptedMaster master;
    pep381d::Policy policy;
    std::shared_ptr<pep381d::Signer> master_key;  // that the master signs with; null: it does not
    Disks start;
    Truth truth;
    Errand errand = sync;
    pep381d::Time end = last_time;  // last-modified in the end
    // What is damaged on the disks at the beginning may be so until it is mended.
    std::set<std::string> violations;  // told of it by inspect()
    std::set<std::string> damaged;     // the paths that verifying names
};

Scenario first_pass();
// `keys`: what the mirror signs with.
Scenario changes_and_removals(std::shared_ptr<pep381d::Signer> signer = nullptr);
// The pass that breaks is told of changes that the master has taken back by the next one.
Scenario changes_taken_back(bool copy);
Scenario formats_given_up();
Scenario formats_added();
// From these keys to those; null: none.
Scenario keys_changed(std::shared_ptr<pep381d::Signer> before,
                      std::shared_ptr<pep381d::Signer> after);
// The master's own pages and signatures, copied.
Scenario copies_changed(std::shared_ptr<pep381d::Signer> key);
// From pages of our own making to the master's, and back.
Scenario copies_begun(std::shared_ptr<pep381d::Signer> key);
Scenario copies_ended(std::shared_ptr<pep381d::Signer> key);
Scenario master_key_changed(std::shared_ptr<pep381d::Signer> before,
                            std::shared_ptr<pep381d::Signer> after);
Scenario damage();

}  // namespace faults
