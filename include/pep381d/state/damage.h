// The state's file is damaged: what it says is not to be trusted, and nothing was done because of
// it.
#pragma once

#include <string>

#include "pep381d/base/outcome.h"

namespace pep381d {

// The remedy, for messages.
inline constexpr const char* adopt_anew = "run `pep381d adopt`: it begins a new one";

class StateDamaged : public Fatal {
  public:
    explicit StateDamaged(const std::string& what) : Fatal(5, what) {}
};

}  // namespace pep381d
