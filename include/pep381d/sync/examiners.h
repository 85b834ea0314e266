// Threads that run examinations, each from its beginning to its end, and walks, likewise or until
// one has to be asked what it has seen.
//
// Thread rule: start() and reap() belong to one thread. What is still under way when this object
// ends is given up: that takes no longer than a small piece of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "pep381d/sync/examination.h"
#include "pep381d/sync/package_walk.h"

namespace pep381d {

class Examiners {
  public:
    using Work = std::variant<std::unique_ptr<Examination>, std::unique_ptr<PackageWalk>>;

    explicit Examiners(int threads);
    ~Examiners();

    void start(Work work);
    // Started and not yet reaped.
    std::size_t under_way() const { return under_way_; }
    // What has ended; where `wait` and something is under way, it waits until that is some, but no
    // longer than 200 ms: a single file may take minutes. Throws what was thrown by one of them.
    std::deque<Work> reap(bool wait);

  private:
    void run();
    void run(Examination& examination);
    void run(PackageWalk& walk);
    bool worth_waking_for() const;

    std::mutex mutex_;
    std::condition_variable changed_, ended_;
    std::deque<Work> waiting_, done_;
    std::exception_ptr failure_;
    std::size_t under_way_ = 0;
    std::atomic<bool> stopping_{false};
    std::vector<std::thread> threads_;
};

}  // namespace pep381d
