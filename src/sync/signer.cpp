#include "pep381d/sync/signer.h"

#include <utility>

namespace pep381d {

Signer::Signer(SigningKeys keys) : keys_(std::move(keys)), thread_([this] { run(); }) {}

Signer::~Signer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

std::shared_future<Signatures> Signer::sign(std::string page) {
    std::packaged_task<Signatures()> task([this, page = std::move(page)] {
        return Signatures{keys_.dsa.sign(page), keys_.ed25519.sign(page)};
    });
    auto signatures = task.get_future().share();
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(task));
    }
    changed_.notify_one();
    return signatures;
}

void Signer::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        auto task = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        task();
        lock.lock();
    }
}

}  // namespace pep381d
