#include "pep381d/sync/key_look.h"

#include <fmt/format.h>

#include "pep381d/net/retry.h"
#include "pep381d/sync/master_key.h"

namespace pep381d {

namespace {

// A key of 4096 bits has 2 KB.
constexpr std::int64_t key_most = 64 << 10;
// Every page of a master that answers with nonsense doubts the key: once for all of them.
constexpr std::chrono::minutes pause{1};
// It is asked for until an answer is believed (master_key.cpp).
constexpr std::chrono::minutes pause_refused{10};

std::string without_slash(std::string url) {
    if (url.ends_with('/')) url.pop_back();
    return url;
}

}  // namespace

void KeyLook::start() {
    running_ = true;
    body_.clear();
    Request request;
    request.url = policy_.master + "/serverkey";
    request.encoding = Encoding::identity;
    request.most_bytes = key_most;
    request.deadline = policy_.timeout * 2;
    Receiver receiver;
    receiver.on_head = [](const Reply&) -> Done { return Nothing{}; };
    receiver.on_body = [this](std::string_view piece) -> Done {
        body_ += piece;
        return Nothing{};
    };
    receiver.on_end = [this](const Outcome<Reply>& reply) { ended(reply); };
    transport_.start(std::move(request), std::move(receiver));
}

Outcome<std::string> KeyLook::read(const Outcome<Reply>& reply) const {
    if (!reply) return reply.failure();
    const std::string shown = policy_.master_shown + "/serverkey";
    if (reply.value().redirected &&
        without_slash(reply.value().url) != policy_.master + "/serverkey")
        return Failure{Fault::corrupt, fmt::format("GET {}: it redirects to {}, which is no key",
                                                   shown, display_url(reply.value().url))};
    auto key = read_master_key(body_);
    if (!key) return Failure{Fault::corrupt, fmt::format("GET {}: {}", shown, key.failure().what)};
    return key.value().pem();
}

void KeyLook::ended(const Outcome<Reply>& reply) {
    running_ = false;
    if (!reply && is_local(reply.failure().fault)) give_up(reply.failure());
    ++answers_;
    auto pem = read(reply);
    const bool later = !pem && pem.failure().fault == Fault::retry_later;
    failed_ = later ? failed_ + 1 : 0;
    failure_ = later ? std::optional(pem.failure()) : std::nullopt;
    next_ = clock_.steady() + (later ? retry_pause(failed_, pem.failure().wait, policy_.random())
                                     : std::chrono::milliseconds(pem ? pause : pause_refused));
    if (pem)
        send_(KeyArrived{std::move(pem).value(), std::nullopt});
    else
        send_(KeyArrived{std::nullopt, std::move(pem).failure()});
}

}  // namespace pep381d
