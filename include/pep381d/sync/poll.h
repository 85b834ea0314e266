// One conversation with the master about what has changed, in the protocol that it speaks
// (master/protocol.h): its journal since our last look, and, where it is time or where it has no
// journal, the full list of names. On the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/master/name_list.h"
#include "pep381d/master/protocol.h"
#include "pep381d/master/xmlrpc.h"
#include "pep381d/net/transport.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

struct PollStart {
    Protocol protocol = Protocol::warehouse;  // automatic: it is to be found out
    std::optional<Serial> cursor;  // up to which the journal is known; nothing: start with the list
    std::int64_t journal_since = 0;  // of a journal by time: Unix seconds
    std::string root_etag;           // of the root index that was compared last
    bool with_list = false;          // fetch the list too, whether it has changed or not
    bool full = false;  // it is time to look at what no list tells: handed on with the list
    bool dated = true;  // the master may have a last-modified
};

class Poll {
  public:
    using Send = std::function<void(Message)>;
    Poll(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock, Log& log,
         Send send);
    ~Poll();

    void start(PollStart start);
    bool running() const { return running_; }
    // Of the last one that ended; nothing: it went well.
    const std::optional<Failure>& failure() const { return failure_; }
    // Of the same: the journal was read to its end; a list was handed over.
    bool events_known() const { return events_known_; }
    bool listed() const { return listed_; }
    // Ends without a word what is running.
    void abandon();

  private:
    // `fault`: the master answered in XML-RPC that it does not know this.
    using Failed = std::function<void(Failure, bool fault)>;
    template <class Reader, class Ended>
    void ask(std::string question, std::shared_ptr<Reader> reader, Ended ended, Failed failed = {});
    void find_protocol();
    void try_journal_by_time();
    void stay_undecided(Failure failure);
    void found(Protocol protocol);
    void go_on();
    void ask_changes();
    void serial_known(Serial newest);
    void ask_changelog();
    void take(std::vector<Event> events);
    void ask_changelog_since(std::int64_t since);
    void take_timed(std::int64_t since, std::vector<Event> events);
    void ask_list();
    Done take_root_type(const Reply& reply);
    void list_ended(Outcome<Reply> reply);
    void next_step();
    void fail(Failure failure);
    std::string shown() const { return policy_.master_shown + "/pypi"; }

    Transport& transport_;
    Staging& staging_;
    const Policy& policy_;
    const Clock& clock_;
    Log& log_;
    Send send_;

    bool running_ = false;
    bool with_list_ = false;
    bool events_known_ = false;
    bool listed_ = false;
    Time began_;
    PollStart start_;
    MasterSaid said_;
    std::string tried_;  // what speaks against the protocols that it does not speak
    std::optional<Serial> cursor_;
    ListForm form_ = ListForm::serials;
    std::optional<Serial> newest_;  // as the master said
    std::optional<Failure> failure_;
    std::unique_ptr<Arrival> list_;
};

}  // namespace pep381d
