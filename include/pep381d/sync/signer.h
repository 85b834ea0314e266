// Signs pages on a thread of its own. On the committer's, signing took three quarters of a first
// pass over small pages (5,000: 1.0 s of its CPU without, 3.9 s with), on the loop's it would take
// more than half of that.
//
// Thread rule: any. What is not signed yet when this object ends never is.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include "pep381d/base/signing_keys.h"

namespace pep381d {

struct Signatures {
    std::string dsa, ed25519;
};

class Signer {
  public:
    explicit Signer(SigningKeys keys);
    ~Signer();

    const SigningKeys& keys() const { return keys_; }
    // Fails with Fatal(5) where OpenSSL refuses.
    std::shared_future<Signatures> sign(std::string page);

  private:
    void run();

    const SigningKeys keys_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::packaged_task<Signatures()>> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace pep381d
