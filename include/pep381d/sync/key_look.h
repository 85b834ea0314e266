// Asks the master for its key (PEP 381, `/serverkey`). On the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "pep381d/base/clock.h"
#include "pep381d/net/transport.h"
#include "pep381d/sync/messages.h"
#include "pep381d/sync/policy.h"

namespace pep381d {

class KeyLook {
  public:
    using Send = std::function<void(Message)>;
    KeyLook(Transport& transport, const Policy& policy, const Clock& clock, Send send)
        : transport_(transport), policy_(policy), clock_(clock), send_(std::move(send)) {}

    void start();
    bool running() const { return running_; }
    // How often it was asked for to the end.
    std::int64_t answers() const { return answers_; }
    // When it may be asked for (again).
    Steady next() const { return next_; }
    // Why the newest look is to be tried again; nothing: the master has answered it.
    const std::optional<Failure>& failure() const { return failure_; }
    // Ends without a word what is running.
    void abandon() { running_ = false; }

  private:
    void ended(const Outcome<Reply>& reply);
    Outcome<std::string> read(const Outcome<Reply>& reply) const;

    Transport& transport_;
    const Policy& policy_;
    const Clock& clock_;
    Send send_;
    bool running_ = false;
    std::int64_t answers_ = 0;
    int failed_ = 0;  // in a row
    std::optional<Failure> failure_;
    Steady next_{};
    std::string body_;
};

}  // namespace pep381d
