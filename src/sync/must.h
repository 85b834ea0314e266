// Local failures end the program: what was not recorded is done again by the next run.
#pragma once

#include <utility>

#include "pep381d/base/outcome.h"

namespace pep381d {

inline void must(const Done& done) {
    if (!done) give_up(done.failure());
}

template <class T>
T must(Outcome<T> outcome) {
    if (!outcome) give_up(outcome.failure());
    return std::move(outcome).value();
}

}  // namespace pep381d
