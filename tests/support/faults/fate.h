// What goes wrong, and where: one count over the operations of a tree and of a state, in the order
// in which they happen on whichever thread. Any thread.
#pragma once

#include <array>
#include <mutex>
#include <optional>

namespace faults {

enum class Operation {
    create,
    append,
    write,
    finish,
    make_directory,
    remove_directory,
    rename,
    place,
    link,
    remove,
    flush,
    open,
    read,
    look,
    list,
    state_open,
    state_read,
    state_write,
    state_truncate,
    state_sync,
    state_remove
};

inline const char* name_of(Operation operation) {
    constexpr std::array names{"create",         "append",         "write",
                               "finish",         "make directory", "remove directory",
                               "rename",         "place",          "link",
                               "remove",         "flush",          "open",
                               "read",           "look",           "list",
                               "state open",     "state read",     "state write",
                               "state truncate", "state sync",     "state remove"};
    return names[static_cast<std::size_t>(operation)];
}

enum class Fault {
    none,
    stop,    // the world stops before the n-th change: nothing more reaches the disk
    tear,    // the world stops within the n-th write, half of which reaches the disk
    error,   // the n-th operation fails, and the next one works again
    full,    // from the n-th operation on that needs space there is none; that one writes half
    lose,    // the n-th flush fails, and what it should have written is lost
    forget,  // likewise, but memory has it as long as it is not read from the disk
};

inline const char* name_of(Fault fault) {
    constexpr std::array names{"none", "stop", "tear", "error", "full", "lose", "forget"};
    return names[static_cast<std::size_t>(fault)];
}

class Fate {
  public:
    // `only`: the n-th of these operations.
    explicit Fate(Fault fault = Fault::none, int at = 0, std::optional<Operation> only = {})
        : fault_(fault), at_(at), only_(only) {}

    // What becomes of an operation: none, or what is told of it above; stop: it has no effect.
    Fault next(Operation operation) {
        const std::lock_guard lock(mutex_);
        if (stopped_) return Fault::stop;
        if (fault_ == Fault::full && struck_ && needs_space(operation)) return Fault::full;
        if (struck_ || !concerns(operation) || ++count_ != at_) return Fault::none;
        struck_ = true;
        where_ = operation;
        stopped_ = fault_ == Fault::stop || fault_ == Fault::tear;
        return fault_;
    }
    bool struck() const { return struck_; }
    Operation where() const { return where_; }

  private:
    static bool reads(Operation operation) {
        return operation == Operation::open || operation == Operation::read ||
               operation == Operation::look || operation == Operation::list ||
               operation == Operation::state_read;
    }
    static bool writes(Operation operation) {
        return operation == Operation::write || operation == Operation::state_write;
    }
    static bool needs_space(Operation operation) {
        return writes(operation) || operation == Operation::create ||
               operation == Operation::rename || operation == Operation::place ||
               operation == Operation::link || operation == Operation::make_directory ||
               operation == Operation::state_open;
    }
    bool concerns(Operation operation) const {
        if (only_ && operation != *only_) return false;
        switch (fault_) {
            case Fault::none:
                return false;
            case Fault::stop:
                return !reads(operation);
            case Fault::tear:
                return writes(operation);
            case Fault::error:
                return true;
            case Fault::full:
                return needs_space(operation);
            case Fault::lose:
            case Fault::forget:
                return operation == Operation::flush || operation == Operation::state_sync;
        }
        return false;
    }

    const Fault fault_;
    const int at_;
    const std::optional<Operation> only_;
    std::mutex mutex_;
    int count_ = 0;
    bool struck_ = false;
    bool stopped_ = false;
    Operation where_ = Operation::create;
};

}  // namespace faults
