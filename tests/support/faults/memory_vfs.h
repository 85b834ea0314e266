// SQLite on a Volume, at the mercy of a Fate: while one of these lives, it is the default of all
// databases that are opened. SQLite itself is the real one.
//
// For one connection at a time: locks are granted, and the WAL's index lies in memory. What SQLite
// draws by lot follows from the seed, so that the same pass leaves the same bytes.
#pragma once

#include <memory>
#include <string>

#include "support/faults/fate.h"
#include "support/faults/volume.h"

namespace faults {

class MemoryVfs {
  public:
    MemoryVfs(Volume& volume, Fate& fate, unsigned seed);
    ~MemoryVfs();
    MemoryVfs(const MemoryVfs&) = delete;
    MemoryVfs& operator=(const MemoryVfs&) = delete;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// The path of a state on a Volume. A file of that name is there, since State looks for one before
// it asks SQLite; what is in it nobody reads.
const std::string& state_file();

}  // namespace faults
