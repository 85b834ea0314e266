// The hosts that are asked for a file before the one that the master names (files.alternates), and
// which of them are worth asking now. On the loop's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/log.h"
#include "pep381d/base/outcome.h"

namespace pep381d {

class Alternates {
  public:
    // `bases`: URLs without a slash at the end.
    Alternates(const std::vector<std::string>& bases, const Clock& clock, Log& log);

    // The first from number `from` on that may be asked; nothing: the master's own host is next.
    // An alternate that failed several times in a row is left alone for a growing pause, and then
    // asked for one file first: where nobody is there, not every file must wait for its time-out.
    std::optional<std::size_t> next(std::size_t from) const;
    // The URL of a file there; `path` as in File::path, `packages/...`.
    std::string url(std::size_t number, const std::string& path) const;

    // A transfer from there begins; each is followed by ended(), or all by abandon().
    void begun(std::size_t number) { ++all_[number].running; }
    // Null: it brought the file.
    void ended(std::size_t number, const Failure* failure);
    void abandon();

  private:
    struct Alternate {
        std::string base;
        int running = 0;
        int failures = 0;  // in a row
        Steady rested{};   // from then on it may be asked again
    };

    std::vector<Alternate> all_;
    const Clock& clock_;
    Log& log_;
};

}  // namespace pep381d
