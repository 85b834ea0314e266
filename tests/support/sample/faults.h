// Answers that go wrong on demand: a list of rules, tried in order, each good for so many times.
// Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/sample/http.h"
#include "support/sample_master.h"

namespace sample {

class Faults {
  public:
    // Throws std::invalid_argument for a kind or value that it does not know.
    void add(Fault fault);
    void clear() { rules_.clear(); }
    // The first rule for it, counted down; `method` is that of an XML-RPC call, or empty.
    std::optional<Fault> take(const std::string& target, const std::string& method);

  private:
    std::vector<Fault> rules_;
};

// What the fault makes of a good answer. Pure. A stale answer is not made here: it needs the past.
Response spoiled(Response response, const Fault& fault);

}  // namespace sample
