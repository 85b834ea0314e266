// What the mirror knows: published projects and files, the queue of projects to look at, what is to
// be removed, and how far the master's journal was read. SQLite in WAL mode; other processes may
// read beside it.
//
// Everything that changes it runs inside a Change; nothing is durable before its commit(). Failures
// are Fatal(5), StateDamaged or DiskFull among them: a state that cannot be trusted ends the
// program. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/outcome.h"
#include "pep381d/model/copied_page.h"
#include "pep381d/model/event.h"
#include "pep381d/model/project_page.h"
#include "pep381d/model/removal_record.h"
#include "pep381d/model/status.h"

namespace pep381d {

// A project that is to be looked at.
struct Queued {
    ProjectName name;
    std::string display;             // how the project writes itself
    Serial serial;                   // what its page must show at least; 0: whatever it shows
    Loss loss = Loss::nothing;       // the greatest loss that an event since explains
    Loss last_loss = Loss::nothing;  // that of the newest event
    int attempts = 0;
    Time not_before;  // when it is to be tried again
    std::optional<Time> first_failed;
    std::optional<Time> loss_seen;  // when its page was first seen short of files without a reason
    std::optional<Time> stale_since;   // since when its page has been older than the journal
    std::optional<Time> absent;        // when a name list was last seen without it
    bool allowed = false;              // an operator allowed its deletion
    std::optional<Time> gone_since{};  // since when its page has answered 404 or 410
    int gone_looks = 0;                // how many looks have found that
    bool of_list = false;              // a list brought it: no event, and nothing that failed
};

// What is known of a published project, without its files.
struct Published {
    std::int64_t id = 0;
    std::string display;
    Serial serial;        // 0: published in part, or not yet
    bool page = false;    // its page is there
    bool listed = false;  // it is in the root index
    std::string etag;     // of the master's page, where ours shows all of it
};

// A line of a name list: the master's, or that of the projects whose page is there.
struct ListedProject {
    std::string name;     // normalized
    std::string display;  // as the project writes itself
    Serial serial;
    bool listed = true;  // in the root index
};

// A project that is to be verified.
struct Unverified {
    std::int64_t id = 0;
    Time at{};  // when it last was; 0: never
    std::optional<ProjectName> name;
};

// How far the files were read.
struct HeldPlace {
    std::int64_t project = 0;
    std::string name;
};

// What a page that was recorded has replaced.
struct Replaced {
    bool page = false;               // one was there
    bool listed = false;             // and in the root index
    std::vector<std::string> files;  // that were held, and now are not: their paths
};

struct Totals {
    std::int64_t projects = 0;  // listed in the root index
    std::int64_t files = 0;
    std::int64_t bytes = 0;
};

// Single values, by name.
enum class Note {
    cursor,         // serial
    last_poll,      // Time: began
    last_error,     // text: of the newest poll, empty where it went well
    last_modified,  // Time
    reconciled,     // Time: of the newest full list
    list_serial,    // serial: the highest in that list
    root_changes,   // count of changes to what the root index shows
    root_written,   // what root_changes was when the root index was written
    // The configuration that the tree was made with, as texts to compare:
    made_formats,
    made_files,
    made_filter,
    remade,  // text: name up to which pages were made again after a change of the formats
    master,  // text: its URL
    projects,
    files,
    bytes,     // totals
    shortage,  // text: of which room there is too little to fetch anything; empty: of none
    // Verifying: when the command's round began, where it is not over, and whether it has walked
    // over the tree; up to which project one without hashing has come; the same of the daemon's.
    verify_began,   // Time
    verify_walked,  // 1
    verify_looked,  // number of a project
    scrub_began,    // Time
    scrub_walked,   // 1
    verified,       // Time: when the newest whole round began that is over
    damages,        // count of faults that were found since the state was made
    newest_damage,  // text
    // The newest full list: what it found.
    reconcile_queued,  // count of projects that were new or newer
    reconcile_absent,  // count of those that it lacked
    // The sweep over all pages (sync/sweep.h): the round under way, and the newest whole one.
    sweep_began,  // Time; in the future: it has not begun
    sweep_place,  // text: a project's name
    sweep_asked,  // count of pages
    sweep_found,  // count of those that had changed
    swept,        // Time: when the newest whole round began
    swept_found,  // count of pages that it found changed
    // Of the master: what it speaks (master/protocol.h), the newest row of its journal by time, the
    // root index that was compared last.
    protocol,      // text
    numbering,     // 1: the serials are the master's; 2: it has none, and they are ours
    journal_time,  // Unix seconds
    root_etag,     // text
    root_serial,   // of that; 0: it had none
    undated,       // 1: it has no last-modified
    dated,         // Time: what that said last
    dated_gone,    // Time: since when a master that had one has been seen without
    dated_looks,   // count of polls that have seen it so
    made_deletes,  // text: deletes.policy, `keep` or `mirror`
    server_keys,   // text: the public halves of the keys that pages are signed with; empty: none
    // The master's own key, where its pages are copied (sync/master_key.h).
    master_key,          // text: in PEM; empty: it has none; not there: it was never asked for
    master_key_due,      // 1: it is to be asked for
    master_key_gone,     // Time: since when a master that had one has been seen without
    master_key_looks,    // count of those that have seen it so
    master_key_refused,  // text: why the newest answer to that was not believed
    older_tree,          // pages may lie in the tree that are of another state, which was lost: how
                         // far that has got (sync/knowledge.h)
    changes,             // count of changes of the tree: what layout::changes shows, or more
};

class State {
  public:
    enum class Access { write, read };
    State(const std::string& path, Access access);
    ~State();

    class Change {
      public:
        explicit Change(State& state);
        ~Change();
        void commit();

      private:
        struct Impl;
        std::unique_ptr<Impl> impl_;
    };

    // What is read while this lives sees one state, and locks it once instead of for each question:
    // a third of the time of many small ones. Nothing may be changed meanwhile.
    class Reading {
      public:
        explicit Reading(State& state);
        ~Reading();
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;

      private:
        State& state_;
    };

    std::optional<std::string> text(Note note);
    std::optional<std::int64_t> number(Note note);
    std::optional<Time> time(Note note);
    void set(Note note, std::string_view value);
    void set(Note note, std::int64_t value);
    void set(Note note, Time value);
    void unset(Note note);

    // The queue.
    void enqueue(const ProjectName& name, std::string_view display, Serial serial, Loss loss,
                 Time since, bool soon);
    // The backlog of a list: the same as each by itself, without a loss and not soon.
    void enqueue(const std::vector<ListedProject>& projects, Time since);
    // Those due, events and retries first in the order in which they became due.
    std::vector<Queued> due(Time now, std::size_t most);
    // Those of them of which an event tells of a loss, the greatest first.
    std::vector<Queued> due_losses(Time now, std::size_t most);
    // Those of a first sync or a reconcile that were not tried yet, by name, after `after`.
    std::vector<Queued> backlog(std::string_view after, std::size_t most);
    std::optional<Queued> queued(const ProjectName& name);
    // Its last try ended with Fault::taken, and nothing newer has come since.
    bool waits_for_place(const ProjectName& name);
    void postpone(const ProjectName& name, Time not_before, Time now, const Failure& failure);
    void note_unexplained_loss(const ProjectName& name, Time seen);
    void note_stale(const ProjectName& name, Time seen);
    void note_gone(const ProjectName& name, Time seen);
    // Its page answers: that it was gone is no longer so.
    void note_there(const ProjectName& name);
    void note_absent(const ProjectName& name, Time list);
    // Those that have no page yet, until note_listed().
    void note_unread_absent(Time list);
    // Something is queued that does not wait for somebody here (Fault::local) alone.
    bool waits_for_master();
    // Of those the names that a newer list may show to be there after all, in order, after `after`.
    std::vector<std::string> absent(std::string_view after, std::size_t most);
    void note_listed(const ProjectName& name);
    // Those that have no page here by what is known, in order, after `after`.
    std::vector<ProjectName> unread(std::string_view after, std::size_t most);
    // Those that are not published, and that the newest event removes.
    std::unordered_set<std::string> unshown_removals();
    // Marks it as something that says that a published project is to go, for the guard.
    void note_candidate(const ProjectName& name, bool candidate);
    void hold(const ProjectName& name, Time not_before, Time now, std::string_view cause);
    std::int64_t deletion_candidates();
    std::int64_t held();
    std::int64_t allow_held();
    // Takes it off the queue unless something newer than `handled` has come in meanwhile.
    void settle(const ProjectName& name, Serial handled);
    void retry_all_now();
    void retry_now(const ProjectName& name);
    // What a clock wrote that was ahead of `now` is brought back: no try later than `latest_try`,
    // no removal later than `latest_removal`, nothing seen or asked for after now.
    void set_back_clock(Time now, Time latest_try, Time latest_removal);
    std::int64_t pending();
    std::int64_t failing();
    std::vector<FailingProject> failing_projects(std::size_t most);
    // Those that an event has queued, and that nobody has come to yet.
    std::vector<FailingProject> unreached_projects(std::size_t most);
    // Why it is still queued; nothing where it is not.
    std::optional<std::string> cause(const ProjectName& name);
    // When the next project that waits becomes due; nothing where none waits.
    std::optional<Time> next_due();

    // Projects and files.
    std::optional<Published> published(const ProjectName& name);
    // As it should be shown: without what is noted as damaged.
    std::optional<ProjectPage> page(const ProjectName& name);
    // A file is in its place; its project's page may follow later. Of its .metadata this says
    // nothing.
    void record_file(const ProjectName& name, std::string_view display, const File& file);
    // Its .metadata is. Where the file itself is not known to be, that is left to the page.
    void record_metadata(const ProjectName& name, const File& file);
    // It is not what it should be, or its companion is: that is put down for removal.
    void forget_file(const ProjectName& name, const std::string& path);
    // The page that is shown may be another than the known one: such files are recorded, and it
    // does not name them yet, or one was about to take its place.
    bool ahead_of_page(const ProjectName& name);
    // Its page is about to be replaced, until the new one is recorded.
    void intend_page(const ProjectName& name);
    // What the state holds at this path is damaged, and its page is about to be replaced by one
    // without it: until that, or what takes its place, is recorded.
    void note_damaged(const ProjectName& name, const std::string& path);
    // Projects whose page in the tree may not be what the state says: something on it is damaged,
    // or a run was killed between the page, or the place of a file on it, and its record. No copied
    // one of which no file is in doubt: its files are all there.
    std::vector<ProjectName> torn();
    // A file is about to be put in this place. Until a page or file of the project is recorded,
    // nobody else knows of it: after a kill it is either recorded after all or, with the project's
    // next page or its end, put down for removal, unless another project has it.
    void intend(const ProjectName& name, const std::string& path);
    // The paths of which that is so, in order. Where the project holds a file there, nobody knows
    // whether it is that or what was to replace it.
    std::vector<std::string> in_doubt(const ProjectName& name);
    // Files may lie in their places that nobody here knows of: the last run did not end well, or
    // the first pass is not complete, so that the tree may be one of before this state.
    bool files_may_be_unknown();
    // Forgets everything but the record of removals.
    void begin_anew();
    void not_placed(const ProjectName& name, const std::string& path);
    // What was on its way for this project is put down for removal at once,
    void drop_intended(const ProjectName& name);
    // ... or left where it is.
    void forget_intended(const ProjectName& name);
    // The paths that are intended, of all projects.
    std::unordered_set<std::string> intended();
    // Two projects may name one file. By any project:
    bool owned(const std::string& path);
    // ... but this one. Which name other bytes for it than those of `named`, or of its companion?
    std::vector<ProjectName> owners_otherwise(const ProjectName& but, const std::string& path,
                                              const File& named);
    // The other ones that are queued and of which a file is on its way there, or was when a run was
    // killed.
    std::vector<ProjectName> others_on_the_way(const ProjectName& but, const std::string& path);
    bool holds(const ProjectName& name, const std::string& path);  // this one does
    // The page, as it was just published, replaces what was known. Files that it no longer names
    // are put down for removal from `remove_from` on, and what was intended at once, but for these
    // paths. `copy`: its HTML is the master's own.
    Replaced record_page(const ProjectPage& page, std::string_view display, std::string_view etag,
                         Time remove_from, const std::optional<CopiedPage>& copy = std::nullopt,
                         const std::vector<std::string>& still_intended = {});
    // What proves its HTML; nothing: that is made of what is known.
    std::optional<CopiedPage> copied(const ProjectName& name);
    // All pages are made of what is known by now.
    void forget_copies();
    // The project writes itself like this now.
    void rename(const ProjectName& name, std::string_view display);
    // The project is gone: its page and files are put down for removal. The paths of the files.
    std::vector<std::string> drop_project(const ProjectName& name);
    // Those in the root index, by name.
    using VisitListed =
        std::function<void(std::string_view name, std::string_view display, Serial)>;
    void for_each_listed(const VisitListed& visit);
    // The same, and among them those that are queued and have no page here by our knowledge, as far
    // as `also` takes them.
    void for_each_listed(const VisitListed& visit,
                         const std::function<bool(const ProjectName& queued)>& also);
    // Fills `projects`, as far as there are so many, with those whose page is there, by name, from
    // the first one after `after` (not a part of `projects`) on. How many those are.
    std::size_t shown(std::string_view after, std::vector<ListedProject>& projects);
    std::vector<ProjectName> projects_after(std::string_view name, std::size_t most);
    // Those of which files may be there, but no page.
    std::vector<ProjectName> without_page();
    // The next look at each page gets it whole, not a 304.
    void forget_etags();
    void forget_etag(const ProjectName& name);
    Totals totals() const;
    // Reads all of it, which takes its time: SQLite finds nothing wrong with its form.
    bool whole();

    // What is to be removed from the tree, paths below web/. Pages stand under simple/, and their
    // signatures under serversig/, files under packages/. A dropped project's page is named once
    // the root index that is written shows at least the change `root_written`; its files once its
    // page is gone.
    void put_down(const std::string& path, Time not_before);
    std::vector<std::string> pages_to_remove(std::int64_t root_written);
    bool pages_wait_for_root(std::int64_t root_written);
    std::vector<std::string> files_to_remove(Time now, std::size_t most);
    std::optional<Time> next_removal();
    void put_off(const std::string& path, Time not_before);
    void removed(const std::string& path);

    // The record of removals; to be written in the Change that makes the removal so.
    void record_removal(const RemovalRecord& record);
    // The newest first.
    void for_each_removal(const std::function<void(const RemovalRecord&)>& visit);

    // For verifying. Those not verified since `before`, the oldest first, behind `after`.
    std::vector<Unverified> unverified(const Unverified& after, Time before, std::size_t most);
    std::vector<Unverified> projects_behind(std::int64_t id, std::size_t most);
    void note_verified(std::int64_t project, Time at);
    // Those verified after `now`, by a clock that was ahead, count as never verified.
    void forget_verified_after(Time now);
    std::int64_t verified_since(Time since);               // how many
    std::int64_t known_projects(std::int64_t behind = 0);  // of which there is a row
    // Visits the paths of what is held, of `most` files behind `at`, which moves; false: no more.
    bool next_held(HeldPlace& at, std::size_t most,
                   const std::function<void(const std::string& path)>& visit);
    // Something about to be placed, or to be removed, is there, or below this directory.
    bool awaits(const std::string& path);
    bool awaits_below(const std::string& directory);

    // Rows of a journal by time. False where it is remembered already.
    bool remember_row(const std::string& mark, std::int64_t time);
    void forget_rows(std::int64_t before);
    // Nothing is known of the master's journal and list any more.
    void forget_journal();

    // Polls, for last-modified (design 2.3).
    // `shows`: how old the master itself was, where it said so and that is before.
    void record_poll(Time began, std::optional<Time> shows = std::nullopt);
    // When the newest poll began of which nothing is left to do, but for what has failed at the
    // master for an hour; or what it shows.
    std::optional<Time> handled_until(Time now);

    // `project`: as the master wrote it where the name itself is not legal; `file`: empty then. No
    // more than some thousands are kept, and of each text the first 1000 bytes.
    void skip(std::string_view project, std::string_view file, std::string_view cause);
    void clear_skipped(const ProjectName& project);
    std::vector<SkippedItem> skipped(std::size_t most);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pep381d
