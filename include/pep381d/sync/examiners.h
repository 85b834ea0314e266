// Threads that run examinations, each from its beginning to its end.
//
// Thread rule: start() and reap() belong to one thread. What is still under way when this object
// ends is given up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pep381d/sync/examination.h"

namespace pep381d {

class Examiners {
  public:
    explicit Examiners(int threads);
    ~Examiners();

    void start(std::unique_ptr<Examination> examination);
    // Started and not yet reaped.
    std::size_t under_way() const { return under_way_; }
    // One that has ended; waits for it where `wait`, else nothing where none has.
    std::unique_ptr<Examination> reap(bool wait);

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_, ended_;
    std::deque<std::unique_ptr<Examination>> waiting_, done_;
    std::size_t under_way_ = 0;
    std::atomic<bool> stopping_{false};
    std::vector<std::thread> threads_;
};

}  // namespace pep381d
