// The committer's thread: it owns the state and the published tree, hands out work, and takes back
// what came of it.
//
// Its inbox and outbox are bounded: the loop sends only while there is room(), so that a slow disk
// slows the network down. An exception on the thread (Fatal) ends it; the loop meets it again in
// check().
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/freshness.h"
#include "pep381d/sync/list_intake.h"
#include "pep381d/sync/master_key.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"
#include "pep381d/sync/publisher.h"
#include "pep381d/sync/repairs.h"
#include "pep381d/sync/reshape.h"
#include "pep381d/sync/rulings.h"
#include "pep381d/sync/scrub.h"
#include "pep381d/sync/sweep.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

class Committer {
  public:
    // `daemon`: the root index, last-modified and status are published as time goes by, not only on
    // Finish.
    Committer(State& state, FileTree& tree, const Policy& policy, const Clock& clock, Log& log,
              bool daemon);
    ~Committer();

    // These projects only, whatever the queue holds besides; neither the cursor nor last-modified
    // moves. Before start().
    void restrict_to(const std::vector<ProjectName>& projects);
    // Verifies and mends beside all else. With a single round only what is queued already for an
    // event, a retry or a repair is fetched, not the backlog of a list. Before start().
    void verify(ScrubPolicy policy);
    // Asks for all pages once in so long, beside all else. Before start().
    void sweep(std::chrono::milliseconds interval);
    // `wake`: called from the committer's thread whenever there is something new for the loop.
    void start(std::function<void()> wake);
    // Ends the thread after what it has taken is published and recorded. What waits in the queue
    // stays there.
    void stop();

    bool room();
    // More waits than it takes up in one go: whoever has time may do some of its work.
    bool behind();
    void send(Message message);
    std::optional<WorkItem> take();
    // Frees what came from the loop and is done with; on the loop's thread.
    void reclaim();
    void check();  // throws what ended the thread
    // Nothing more is on its way to the committer: it need not wait for company.
    void loop_idle(bool idle);

    // What polls have found out of the master.
    struct MasterKnown {
        Protocol protocol = Protocol::automatic;  // not yet
        std::int64_t journal_since = 0;           // sync/intake.h
        std::string root_etag;
        bool dated = true;
        bool numbered = true;  // its serials; else ours
    };
    struct Standing {
        bool at_rest = false;          // nothing to do now: no work to hand out, nothing on its way
        std::optional<Time> next_due;  // when a project that waits is to be tried again
        bool wants_list = false;       // only a fresh name list can decide about some project
        std::optional<Serial> cursor;  // how far the journal is read
        std::int64_t lists = 0;        // name lists taken in, good or not
        std::optional<Failure> list_failure;  // what was wrong with the newest
        std::optional<Time> reconciled;       // when the newest name list was asked for
        bool key_due = false;                 // the master's key is to be asked for
        bool key_at_once = false;             // whenever that was done last
        bool key_awaited = false;             // by all pages
        std::int64_t keys = 0;                // answers of that kind taken in
        MasterKnown master;
    };
    Standing standing() const;

    struct Counters {
        std::atomic<std::int64_t> pending{0};  // projects in the queue
        std::atomic<std::int64_t> pages{0};    // published by this process, like the following
        std::atomic<std::int64_t> files{0};
        std::atomic<std::int64_t> bytes{0};
    };
    const Counters& counters() const { return counters_; }
    // Of what verify() started, or nothing.
    const Scrub::Counters* scrub_counters() const { return scrub_ ? &scrub_->counters() : nullptr; }
    // Named projects that the master does not have. After stop().
    const std::vector<std::string>& not_at_master() const { return rulings_.not_at_master(); }

  private:
    void run();
    void cycle();
    std::deque<Message> gather();
    void take_in(std::deque<Message>& messages);
    void give_back();

    void count(const FileArrived& file);
    void handle(FileArrived& file);
    void take_as_unread(PageReady& page);
    void handle(PageReady& page);
    void handle(PageFailed& failed);
    void handle(PageGone& gone);
    void handle(PageStale& stale);
    void handle(PageLoses& loses);
    void handle(PollDone& poll);
    void handle(PollFailed& failed);
    void handle(ListArrived& list);
    void handle(KeyArrived& answer);
    void handle(RetryAll& all);
    void handle(Retry& retry);
    void handle(RoomChanged& room);
    void handle(Finish& finish);

    void note_list(const ListArrived& list, const ListResult& found);
    void note_polled(Time began, const MasterSaid& said);
    void note_master(const MasterSaid& said);
    void note_date(const MasterSaid& said);
    void adopt_protocol();
    MasterKnown master_known();
    void tell_copy(WorkItem& item);
    void look_again_by_key(const ProjectName& project, int generation);
    bool awaits_key() const { return policy_.copy && master_key_.urgent(); }
    void look_at_key() {
        if (policy_.copy) master_key_.look_now();
    }
    void look_again_by_list(const PageReady& page);
    void work_ended(const ProjectName& project);
    void recorded(const PageReady& page, const Replaced& replaced);
    void go_on_sweeping();
    bool quiet() const;
    enum class Look { same, news, failed };
    bool sweep_passes(const ProjectName& project, Look look);
    void hand_out(const Queued& queued);
    void feed();
    void feed_due(std::size_t room);
    void take_back();
    std::string feed_some(const std::vector<Queued>& all);
    bool hungry() const;
    bool nothing_left();
    void look_for_older_tree();
    void forget_older_tree();
    void publish_outside();
    void tell_failures();
    void scrub();
    bool scrub_due() const { return scrub_ && !finishing_ && scrub_->due(); }
    std::int64_t pending();
    std::optional<Time> next_due();
    void note_rest();

    State& state_;
    FileTree& tree_;
    const Policy& policy_;
    const Clock& clock_;
    Log& log_;
    const bool daemon_;
    Publisher publisher_;
    Reshape reshape_;
    Rulings rulings_;
    MasterKey master_key_;
    Freshness freshness_;
    Repairs repairs_;
    bool repairs_taken_up_ = false;
    std::optional<Scrub> scrub_;
    std::optional<Sweep> sweep_;

    // The committer's thread alone.
    MasterKnown known_;                     // read from the state once a turn, not for each project
    std::unordered_set<std::string> busy_;  // handed out, not yet recorded
    // Of these, also after Finish: what a list lacks that came meanwhile, and when that was asked
    // for.
    std::unordered_map<std::string, Time> unlisted_;
    std::optional<std::vector<ProjectName>> only_;
    std::string backlog_after_;
    bool with_backlog_ = true;
    bool backlog_left_ = true;
    bool room_ = true;         // on the disk
    bool older_tree_ = false;  // the note of that name
    bool finishing_ = false;
    bool finished_ = false;
    bool handled_changed_ = true;  // last-modified may have to move
    std::int64_t lists_ = 0;
    std::int64_t keys_ = 0;
    std::optional<Failure> list_failure_;
    std::optional<Steady> status_written_;  // for the root index of this time
    bool status_changed_ = false;           // otherwise
    bool failed_since_ = false;             // the log told of failures
    Steady failures_told_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Message> inbox_;
    std::size_t inbox_weight_ = 0;
    std::deque<WorkItem> outbox_;
    std::size_t outbox_files_ = 0;
    Standing standing_;
    std::vector<Spent> spent_;  // until the loop frees it
    bool stopping_ = false;
    bool loop_idle_ = false;
    std::exception_ptr failure_;

    Counters counters_;
    std::function<void()> wake_;
    std::thread thread_;
};

}  // namespace pep381d
