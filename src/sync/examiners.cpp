#include "pep381d/sync/examiners.h"

#include <utility>

namespace pep381d {

namespace {

// Between two looks at whether to stop: all threads share one disk, and it may be slow.
constexpr std::size_t slice = 1 << 20;
constexpr std::size_t entries_a_slice = 256;
constexpr std::chrono::milliseconds longest_wait{200};
constexpr std::size_t ended_at_once = 16;

}  // namespace

Examiners::Examiners(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Examiners::~Examiners() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Examiners::start(Work work) {
    ++under_way_;
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(work));
    }
    changed_.notify_one();
}

// Many examinations take less time than to wake a thread for each.
bool Examiners::worth_waking_for() const {
    return failure_ || done_.size() >= ended_at_once || (waiting_.empty() && !done_.empty());
}

std::deque<Examiners::Work> Examiners::reap(bool wait) {
    std::unique_lock lock(mutex_);
    if (wait && under_way_ > 0)
        ended_.wait_for(lock, longest_wait, [&] { return worth_waking_for(); });
    if (failure_) std::rethrow_exception(failure_);
    under_way_ -= done_.size();
    return std::exchange(done_, {});
}

void Examiners::run(Examination& examination) {
    while (!examination.ended() && !stopping_) (void)examination.go_on(slice);
}

void Examiners::run(PackageWalk& walk) {
    while (!walk.ended() && !walk.waits() && !stopping_) (void)walk.go_on(entries_a_slice);
}

void Examiners::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        Work work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        std::exception_ptr failure;
        try {
            std::visit([this](auto& one) { run(*one); }, work);
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        if (failure) failure_ = failure;
        done_.push_back(std::move(work));
        if (worth_waking_for()) ended_.notify_one();
    }
}

}  // namespace pep381d
