// The master's own key, which signs the pages that are copied (pages.mode = copy): what is known of
// it, and when it is to be asked for. It is never published here: who verifies takes it from the
// master (PEP 381).
//
// Thread rule: the committer's thread; what changes the state runs inside a State::Change of the
// caller.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/base/signature.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/messages.h"

namespace pep381d {

class MasterKey {
  public:
    // What an earlier run was to look at, and did not, is looked at before the first page.
    MasterKey(State& state, const Clock& clock, Log& log)
        : state_(state),
          clock_(clock),
          log_(log),
          urgent_(state.number(Note::master_key_due).value_or(0) != 0) {}

    bool due() const { return urgent() || state_.number(Note::master_key_due).value_or(1) != 0; }
    // It may be another one by now: a page cannot be verified.
    void doubt() { state_.set(Note::master_key_due, 1); }
    // The same by the journal, or it is time to look: before the next page.
    void look_now() {
        doubt();
        urgent_ = true;
    }
    bool urgent() const { return urgent_ || !settled(); }
    // It was not asked for since it became urgent.
    bool at_once() const { return urgent_; }
    KeyKnown known();
    int generation() const { return generation_; }
    // The answer of the master. True: all signatures are to be fetched again.
    bool arrived(const KeyArrived& answer);

  private:
    // Where nothing is known and the master does not answer for the moment, pages wait: they would
    // be fetched, and not be verified.
    bool settled() const {
        return state_.text(Note::master_key).has_value() ||
               (failure_ && failure_->fault != Fault::retry_later);
    }
    bool believed_gone();
    bool is_now(const std::string& pem);

    State& state_;
    const Clock& clock_;
    Log& log_;
    std::shared_ptr<const PublicKey> key_;  // that of the state, read
    std::string key_pem_;
    int generation_ = 0;
    bool urgent_;
    std::optional<Failure> failure_;  // of the newest answer, where none was ever known
};

// What came where a master's key belongs. Fault::corrupt says what it is instead.
Outcome<PublicKey> read_master_key(const std::string& bytes);

}  // namespace pep381d
