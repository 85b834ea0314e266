// The projects that are being looked at: each its page, then its files. All of them side by side,
// on the loop's thread.
//
// One project never holds up another (design 2.7): files of all projects take turns, and what fails
// goes back to the queue with its cause. Nothing is tried twice here, but for what downloads.h
// says; the queue knows when it is time for the next look. Nor do long pages, whose files may take
// days: those for which there is no memory beside others (long_pages.h) go back too, and are due
// again when these are gone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/net/pace.h"
#include "pep381d/net/transport.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/sync/downloads.h"
#include "pep381d/sync/long_pages.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

class Jobs {
  public:
    using Send = std::function<void(Message)>;
    // `recovering`: files may lie in their place that the state does not know of.
    Jobs(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock, Log& log,
         bool recovering, Send send);
    ~Jobs();

    bool hungry() const;  // may be given more work
    bool idle() const { return jobs_.empty() && turned_away_.empty(); }
    bool waiting() const;  // has work, but no transfer runs: the master is given a pause
    void add(WorkItem item);
    // Starts what may run now. When it should be called again at the latest, if nothing ends
    // before.
    std::optional<Steady> pump();
    // Without room on the disk no more files are started: pages are published with those that are
    // here.
    void note_room(bool room);
    // Gives back all that has not ended, without a mark on it.
    void abandon();
    // What is under way has failed, for this reason; what has arrived is published.
    void fail_all(const std::string& why);
    // Since when nothing comes; nothing: no transfer runs, or not all that run hang.
    std::optional<Steady> silent_since() const;

    // What the poll knows of the master.
    void master_answered() { master_.well(); }
    void master_failed(const Failure& failure) { master_.failed({}, failure, clock_.steady()); }
    Steady limited_until() const { return master_.limited_until(); }

    std::int64_t bytes_arrived() const { return downloads_.bytes_arrived(); }

  private:
    struct Job;

    void start_page(Job& job);
    Done page_head(Job& job, const Reply& reply);
    Done page_body(Job& job, std::string_view piece);
    void page_ended(std::uint64_t id, const Outcome<Reply>& reply);
    bool page_answered(Job& job, const Outcome<Reply>& reply);
    void not_modified(Job& job);
    void read_page(Job& job, const Reply& reply);
    bool older_than_wanted(Job& job);
    void fetch_files(Job& job);
    bool has_room(Job& job);
    void turn_away(Job& job);
    void let_in_again();
    bool take_copy(Job& job);
    void prove_copy(Job& job);
    bool keep_signature(Job& job);
    void copy_proven(Job& job);
    void start_signature(Job& job);
    void signature_ended(std::uint64_t id, const Outcome<Reply>& reply);
    void no_signature(Job& job, const std::string& cause);
    void refuse_copy(Job& job, std::string cause);
    std::optional<Steady> start_pages();
    std::optional<Steady> start_files();
    Pace& host_of(const File& file);
    void start_file(Job& job, const Fetch& fetch);
    void arrived(Job& job, const Fetch& fetch, Downloads::Fetched fetched);
    void keep_for_page(Job& job, FileArrived file);
    void give_back_kept(Job& job);
    void other_bytes(Job& job, const Fetch& fetch);
    void changed(Job& job);
    void failed(Job& job, Failure failure);
    void leave_rest(Job& job);
    void no_room_for(Job& job);
    void fetch_done(Job& job);
    void give_up_files(Job& job, const std::string& why);
    static void show_incomplete(const Job& job, PageReady& ready);
    void complete(Job& job);
    void end(Job& job, Message message);

    Transport& transport_;
    Staging& staging_;
    const Policy& policy_;
    const Clock& clock_;
    Send send_;
    Downloads downloads_;

    std::map<std::uint64_t, std::unique_ptr<Job>> jobs_;
    std::uint64_t next_id_ = 0;
    std::deque<std::uint64_t> new_;  // their page, or its signature, is to be asked for
    std::deque<std::uint64_t>
        ready_;  // they have files to fetch; the first starts one and goes to the end
    bool signature_slash_ = false;  // the master's signatures are at /serversig/NAME/
    bool room_ = true;
    std::size_t files_listed_ = 0;  // entries of all short pages in memory

    LongPages long_pages_;
    // For want of room beside other long ones: until these are gone.
    std::set<ProjectName> turned_away_;

    // A host that does not answer is not asked by every project in turn, and one project's trouble
    // takes nobody's place.
    Pace master_;
    std::map<std::string, Pace, std::less<>> hosts_;  // of files
    Slots pages_;
    Slots files_;
};

}  // namespace pep381d
