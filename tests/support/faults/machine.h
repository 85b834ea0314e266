// The program and its disks: one pass at a time, with something that goes wrong in it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

#include "support/faults/fate.h"
#include "support/faults/volume.h"
#include "support/scripted_master.h"

namespace faults {

// The tree and the state lie on file systems of their own: flushing one says nothing of the other.
struct Disks {
    Volume tree;
    Volume state;
};

struct Ending {
    std::string fatal;                        // why it could not go on; empty: it could
    std::optional<pep381d::Failure> failure;  // the poll's
    std::int64_t not_mended = 0;              // of what verifying found
    std::map<std::string, int> asked;         // of the master
};

// Looks at the state and the tree as they are found and as they are left.
using Look = std::function<void(pep381d::State&, pep381d::FileTree&)>;
struct Looks {
    Look before, after;
};

// A command, from opening the state to its end, on disks that change with it.
using Errand = std::function<Ending(Disks& disks, const sample::ScriptedMaster& master,
                                    const pep381d::Policy& policy, pep381d::Time now, Fate& fate,
                                    const Looks& looks)>;
Ending sync(Disks& disks, const sample::ScriptedMaster& master, const pep381d::Policy& policy,
            pep381d::Time now, Fate& fate, const Looks& looks = {});
// `verify --repair`.
Ending repair(Disks& disks, const sample::ScriptedMaster& master, const pep381d::Policy& policy,
              pep381d::Time now, Fate& fate, const Looks& looks = {});
// Nothing but looking.
void look(Disks disks, const Look& look);

}  // namespace faults
