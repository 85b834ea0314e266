// The result of a step that may fail for reasons outside this program.
//
// A failed item (a page, a file) is data: it is passed on, recorded and reported. What the daemon
// as a whole cannot survive (its state damaged, its tree read-only) is an exception, `Fatal`,
// caught in main() alone.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace pep381d {

// What to do about a failure, not where it came from.
enum class Fault {
    retry_later,  // the peer is not there, busy or erring: the same request may work in a while
    gone,         // the peer says that there is no such thing (404, 410)
    corrupt,      // the peer sent something, and it is not what it should be (hash, size, syntax)
    refused,      // we will not do it: an illegal name, a forbidden address or scheme
    local,        // this machine: disk, permissions
    full,         // this machine has no room on a disk: it may have some again
    exhausted,    // this process or machine is out of descriptors or memory: nothing is known
    taken,        // another project has the place in the tree, and may give it up
};

struct Failure {
    Fault fault;
    std::string what;  // names the thing, the cause and, where there is one, the remedy
    std::chrono::seconds wait{
        0};                // what the peer asked us to wait before the next try; 0: it said nothing
    bool limited = false;  // the peer says that we ask too much (HTTP 429)
};

template <class T>
class [[nodiscard]] Outcome {
  public:
    Outcome(T value) : result_(std::move(value)) {}
    Outcome(Failure failure) : result_(std::move(failure)) {}

    bool ok() const { return result_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & { return std::get<0>(result_); }
    const T& value() const& { return std::get<0>(result_); }
    T&& value() && { return std::get<0>(std::move(result_)); }
    const Failure& failure() const& { return std::get<1>(result_); }
    Failure&& failure() && { return std::get<1>(std::move(result_)); }

  private:
    std::variant<T, Failure> result_;
};

// A step without a value: `return Nothing{};` says that it worked.
struct Nothing {};
using Done = Outcome<Nothing>;

// Of this machine, not of the peer.
inline bool is_local(Fault fault) {
    return fault == Fault::local || fault == Fault::full || fault == Fault::exhausted;
}

// Ends the program with the exit status of design section 1.1 (2 usage, 5 state or tree unusable
// ...).
class Fatal : public std::runtime_error {
  public:
    Fatal(int exit_status, const std::string& what)
        : std::runtime_error(what), status_(exit_status) {}
    int exit_status() const { return status_; }

  private:
    int status_;
};

// There is no room on a disk. The daemon meets it by waiting for some.
class DiskFull : public Fatal {
  public:
    explicit DiskFull(const std::string& what) : Fatal(5, what) {}
};

// For a failure of this machine that nobody can go on with.
[[noreturn]] inline void give_up(const Failure& failure) {
    if (failure.fault == Fault::full) throw DiskFull(failure.what);
    throw Fatal(5, failure.what);
}

}  // namespace pep381d
