// The master's full list of names, brought into the order of normalized names: it comes in any
// order, and only in order can it be compared and queued in one pass.
//
// Sorted runs go to staging/ and are merged as they are read again, so that memory is bounded
// whatever the list's length. Local failures are Fatal(5); runs that a kill leaves are removed by
// the next start, like all in staging/ that has no digest. Thread rule: the committer's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/model/project_name.h"
#include "pep381d/model/serial.h"
#include "pep381d/state/state.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class SortedList {
  public:
    // `run_bytes`: how much is sorted in memory at a time.
    explicit SortedList(FileTree& tree, std::size_t run_bytes = 6 << 20);
    ~SortedList();
    SortedList(const SortedList&) = delete;
    SortedList& operator=(const SortedList&) = delete;

    void add(const ProjectName& name, std::string_view display, Serial serial);
    // After the last add(): the next project in the order of names. One that the list has several
    // times comes once, with its highest serial. False at the end.
    bool next(ListedProject& project);

  private:
    struct Entry;
    struct Run;
    void sort();
    void spill();
    void begin_merge();
    bool take(ListedProject& project);
    // For the heap: the run whose current name comes first is on top.
    auto later() const;
    std::string path_of(std::size_t run) const;

    FileTree& tree_;
    const std::size_t run_bytes_;
    std::string text_;  // records of the run that is being gathered
    std::vector<Entry> entries_;
    std::vector<Run> runs_;
    std::vector<std::size_t> order_;  // a heap of the runs that are not at their end
    std::size_t taken_ = 0;           // of entries_, where there is no run
    bool merging_ = false;
    bool ahead_ = false;  // coming_ is the next project
    ListedProject coming_;
};

}  // namespace pep381d
