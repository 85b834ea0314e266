// One conversation with the master about what has changed: its newest serial, the journal since
// ours, and, where it is time, the full list of names. On the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/master/xmlrpc.h"
#include "pep381d/net/transport.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

class Poll {
  public:
    using Send = std::function<void(Message)>;
    Poll(Transport& transport, Staging& staging, const Policy& policy, const Clock& clock, Log& log,
         Send send);
    ~Poll();

    // `cursor`: the serial up to which the journal is known; nothing: start with the list.
    // `with_list`: fetch that too.
    void start(std::optional<Serial> cursor, bool with_list);
    bool running() const { return running_; }
    // Of the last one that ended; nothing: it went well.
    const std::optional<Failure>& failure() const { return failure_; }
    // Of the same: the journal was read to its end; a list was handed over.
    bool events_known() const { return events_known_; }
    bool listed() const { return listed_; }
    // Ends without a word what is running.
    void abandon();

  private:
    template <class Reader, class Ended>
    void ask(std::string question, std::shared_ptr<Reader> reader, Ended ended);
    void serial_known(Serial newest);
    void ask_changelog();
    void take(std::vector<Event> events);
    void ask_list();
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
    std::optional<Serial> cursor_;
    Serial newest_;  // as the master said
    std::optional<Failure> failure_;
    std::unique_ptr<Arrival> list_;
};

}  // namespace pep381d
