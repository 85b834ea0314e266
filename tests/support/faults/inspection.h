// What must hold of a mirror at every moment (design 2.1 to 2.3), and what of one whose pass went
// well. A violation is a sentence; none: all is well.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/signer.h"

#include "support/faults/volume.h"

namespace faults {

// What the master has, or had before.
struct Truth {
    // By path in the tree: the bytes that may lie there, and their SHA-256 in hexadecimal.
    std::map<std::string, std::map<std::string, std::string>> contents;
    // What need not be fetched twice: the URLs of what the master has now, by SHA-256.
    std::map<std::string, std::set<std::string>> urls;
    // The published tree in the end, by path, but for last-modified and the status.
    std::map<std::string, std::string> tree;
    std::int64_t files = 0, bytes = 0;
    // The keys that pages are signed with in the end; null: none. In `tree` a signature's bytes are
    // those of the page that it is of.
    std::shared_ptr<pep381d::Signer> signer;
    // Paths where other bytes lie at the master than before.
    std::set<std::string> replaced;
    pep381d::Time before;  // last-modified at the beginning; 0: none
    pep381d::Time poll;    // when the poll in question began
};

using Violations = std::vector<std::string>;

// At any moment: what a reader sees, and what the state claims to be published.
Violations inspect(const Volume& tree, const Truth& truth);
Violations inspect(pep381d::State& state, const Volume& tree, const Truth& truth);

// In the end, where all that a poll at this time told is done.
Violations inspect_end(const Volume& tree, const Truth& truth, pep381d::Time poll);
Violations inspect_end(pep381d::State& state, const Volume& tree, const Truth& truth);

// The URLs of files that lie whole on this disk: nobody has to fetch them again.
std::set<std::string> whole_files(const Volume& tree, const Truth& truth);

}  // namespace faults
