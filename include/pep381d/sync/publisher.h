// The order of effects (design 3.1): what has arrived becomes durable, then visible, then recorded,
// then what it replaces is removed. A pipeline of three steps that share one flush a turn.
//
// One turn:   the flush has ended: the bytes of group N, the file names of group N-1, the page
//             names of group N-2 are durable
//             record N-2 in the state, remove what it dropped; rename the pages of N-1; rename the
//             files of N
//             begin the next flush
//
// The flush runs on a thread of its own, while group N+1 is staged: waiting for it was a fifth of
// the time of a first pass over pages.
//
// Thread rule: the committer's thread. Local failures are Fatal(5): what was not recorded is done
// again by the next run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/page_files.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// What is done with, on its way back to the thread that took its memory: to free that on another
// one makes both wait for the allocator.
struct Spent {
    std::vector<PageReady> pages;
    std::vector<FileArrived> files;
    std::vector<PageText> texts;
    std::vector<std::string> bytes;
    bool empty() const { return pages.empty() && files.empty() && texts.empty() && bytes.empty(); }
};

// What is still to be written of it, into staging/; the bytes are given back. Any thread.
std::string write_unwritten(FileTree& tree, FileArrived& file);

class Publisher {
  public:
    // `recorded` is called inside the transaction in which a page is recorded.
    using Recorded = std::function<void(const PageReady&, const Replaced&)>;
    Publisher(State& state, FileTree& tree, const Policy& policy, const Clock& clock,
              Recorded recorded);

    void add(FileArrived file);
    void add(PageReady page);
    // The page of this project, made again from the state in the formats of the policy, and signed;
    // others are removed.
    void remake(const ProjectName& project);
    // No page comes for the files that were added.
    void forget_refused(const ProjectName& project) { no_place_.erase(project.text()); }
    // The root index is to be written at the next turn, if it is not what the state says.
    void want_root() { root_wanted_ = true; }

    // While the pages are made again in other formats: no root index is written, since it could
    // name pages that are not there yet, and those of formats that are given up are removed at
    // once. Nor are keys shown that not all pages are signed with.
    void hold_root(bool hold);

    // web/serverkey is what it should be.
    void show_keys();
    // That of a tree of before is taken over; one that a kill kept from being shown is shown.
    void take_over_changes();
    // Before something else changes the tree: no state of before is that tree's any more.
    void count_change();

    // Nothing more is begun: neither a root index nor removals, of which there may be very many.
    void leave() { leaving_ = true; }

    void turn();
    Spent take_spent() { return std::exchange(spent_, {}); }
    // Turns until all that was added is recorded.
    void drain();
    // True while a turn has something to do: groups on their way, a root index, removals that are
    // due.
    bool busy();
    // The root index shows what the state says, and that is durable.
    bool root_current();
    std::optional<Steady> root_written() const { return root_time_; }
    std::optional<Time> next_removal() { return state_.next_removal(); }

  private:
    struct Group {
        std::vector<FileArrived> files;
        std::vector<PageReady> pages;
        std::vector<std::pair<ProjectName, StagedPage>> staged;
        std::vector<std::string> obsolete;  // below web/: formats that are no longer made
        std::vector<ProjectName> refused;   // something lies in the way of their pages
        bool empty() const {
            return files.empty() && pages.empty() && staged.empty() && obsolete.empty();
        }
    };

    // Why a file is not in its place.
    struct NoPlace {
        std::string cause;
        // After this long at least the next try may have a place for it; nothing: none will.
        std::optional<std::chrono::seconds> again{};
        Fault fault = Fault::local;  // what its project waits for then
    };

    static std::string path_of(const FileArrived& file);  // below web/
    void leave_incomplete(PageReady& page, const NoPlace& why);
    void look_ahead(PageReady& page);
    bool is_signed(const PageReady& page) const;
    StagedPage stage(const ProjectName& project, const PageText& text, bool replaces);
    void leave_out_formats(const ProjectName& project, bool copied);
    void intend(const Group& files, const Group& pages);
    void place_files(Group& group);
    std::optional<NoPlace> find_place(FileArrived& file);
    std::optional<NoPlace> keeps_page(const FileArrived& file);
    bool lies_there(const FileArrived& file, const std::string& to, bool must_know);
    std::optional<NoPlace> look_for(const FileArrived& file);
    std::optional<NoPlace> place(FileArrived& file);
    NoPlace in_its_way(const std::string& path, const std::string& cause);
    std::optional<std::string> obstacle_on_way_to(const std::string& path);
    std::optional<std::string> obstacle_to(const std::string& path);
    bool another_lies_there(const std::string& path);
    std::optional<NoPlace> taken_by_another(const FileArrived& file, const std::string& path);
    void refuse(const FileArrived& file, NoPlace why);
    void forget_refused(const FileArrived& file);
    void unstage_page(const ProjectName& project, Group& group);
    std::optional<NoPlace> leave_out_refused(PageReady& page);
    void discard_staged(PageReady& page);
    void place_pages(Group& group);
    void refuse_page(const ProjectName& project, const StagedPage& staged, Group& group,
                     const std::string& cause);
    void record(const Group& group);
    void record_files(const PageReady& page);
    bool change_counts();
    void raise_changes();
    void show_changes();
    void remove_what_is_due();
    bool removal_is_due();
    bool root_unknown();
    bool root_is_due();
    void remove_root_of_other_formats();
    bool arrives(const std::string& path) const;
    void forget_removed();
    bool unflushed() const;
    void advance();

    State& state_;
    FileTree& tree_;
    const Policy& policy_;
    const Clock& clock_;
    Recorded recorded_;

    Group fresh_;                        // staged
    Group flushed_;                      // its bytes are being flushed
    std::vector<FileArrived> unplaced_;  // of the group whose files are being renamed, backwards
    Group placed_;                       // its files are renamed
    Group shown_;                        // its pages are renamed
    std::vector<PageReady> again_;       // pages to be staged once more, without a refused file
    std::uint64_t next_page_ = 0;

    bool leaving_ = false;
    bool root_wanted_ = false;
    bool root_held_ = false;
    bool root_formats_left_ = false;  // no root index of a format that is no longer made
    bool changes_shown_ = false;      // the tree shows the state's count
    bool rests_ = true;               // what was last recorded was the last on its way
    Steady counted_{};                // when the count was shown last
    bool root_staged_ = false;
    bool root_placed_ = false;       // renamed, not yet durable
    std::int64_t root_changes_ = 0;  // the count that the staged or placed root index shows
    std::optional<Steady> root_time_;
    std::vector<std::string> removed_;  // from the tree, not yet durably
    // By project and file: what is not in the tree, until its page comes.
    std::map<std::string, std::map<std::string, NoPlace>> no_place_;
    Spent spent_;              // recorded, or staged
    std::future<Done> flush_;  // the last member: its end is awaited before the others go
};

}  // namespace pep381d
