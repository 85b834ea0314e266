#include "pep381d/net/curl_transport.h"

#include <algorithm>
#include <deque>
#include <new>
#include <optional>
#include <sys/epoll.h>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "pep381d/net/transfer.h"

#include "net/readiness.h"

namespace pep381d {
namespace {

using namespace std::chrono_literals;

// Idle connections kept. More than ever run at once (10 to the master, 32 for files), so that none
// is closed that the next transfer could use.
constexpr long kept_connections = 64;

CURLM* new_multi() {
    static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM* multi = global == CURLE_OK ? curl_multi_init() : nullptr;
    if (multi == nullptr) throw std::bad_alloc();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, long{CURLPIPE_MULTIPLEX});
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept_connections);
    return multi;
}

}  // namespace

struct CurlTransport::Impl {
    explicit Impl(TransportOptions options)
        : context{std::move(options), {}, nullptr}, multi(new_multi()) {
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::watch_socket);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::set_timer);
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    }
    ~Impl() {
        drop_all();
        all.clear();
        curl_multi_cleanup(multi);
    }

    Transfer& idle_transfer();
    void begin_queued();
    void begin(Transfer& transfer);
    static int watch_socket(CURL*, curl_socket_t socket, int what, void* self, void*);
    static int set_timer(CURLM*, long milliseconds, void* self);
    void act(curl_socket_t socket, int events);
    void act_on_timer();
    std::chrono::milliseconds until_timer(std::chrono::milliseconds most) const;
    void finish_acts();
    void reap();
    void end(Transfer& transfer, Outcome<Reply> outcome);
    void share_rate();
    bool is_early(const Transfer& transfer) const;
    void end_rested();
    std::chrono::milliseconds until_rested(std::chrono::milliseconds most) const;
    void drop_abandoned();
    void drop_all();
    void rethrow();

    TransferContext context;
    CURLM* multi;
    std::vector<std::unique_ptr<Transfer>> all;
    std::vector<Transfer*> idle;
    // Started, not yet given to curl, which takes none from inside its callbacks.
    std::deque<Transfer*> queued;
    Readiness readiness;
    std::optional<std::chrono::steady_clock::time_point> timer;  // when curl wants to be called
    bool in_curl = false;
    bool share_changed = false;
    std::int64_t share = 1;  // of the file rate, for each file
};

Transfer& CurlTransport::Impl::idle_transfer() {
    if (idle.empty()) {
        all.push_back(std::make_unique<Transfer>(context));
        idle.reserve(all.size());
        return *all.back();
    }
    Transfer* transfer = idle.back();
    idle.pop_back();
    return *transfer;
}

void CurlTransport::Impl::begin_queued() {
    // Only those of now: a receiver that starts a request that cannot be set up again and again
    // must not keep us here.
    for (std::size_t left = queued.size(); left > 0 && !queued.empty(); --left) {
        Transfer* transfer = queued.front();
        queued.pop_front();
        begin(*transfer);
    }
}

void CurlTransport::Impl::begin(Transfer& transfer) {
    if (Done ready = transfer.prepare(); !ready) return end(transfer, std::move(ready).failure());
    if (curl_multi_add_handle(multi, transfer.easy()) != CURLM_OK) throw std::bad_alloc();
    transfer.state = Transfer::State::running;
    share_changed = share_changed || transfer.is_file();
}

int CurlTransport::Impl::watch_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    const auto wanted = [what](int direction) {
        return what != CURL_POLL_REMOVE && (what & direction) != 0;
    };
    auto& impl = *static_cast<Impl*>(self);
    const bool watched = impl.readiness.watch(
        socket, (wanted(CURL_POLL_IN) ? EPOLLIN : 0U) | (wanted(CURL_POLL_OUT) ? EPOLLOUT : 0U));
    if (!watched && !impl.context.thrown)
        impl.context.thrown = std::make_exception_ptr(failed_call("epoll_ctl"));
    return 0;
}

int CurlTransport::Impl::set_timer(CURLM*, long milliseconds, void* self) {
    auto& timer = static_cast<Impl*>(self)->timer;
    timer.reset();
    if (milliseconds >= 0)
        timer = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
}

void CurlTransport::Impl::act(curl_socket_t socket, int events) {
    int running = 0;
    in_curl = true;
    curl_multi_socket_action(multi, socket, events, &running);
    in_curl = false;
}

void CurlTransport::Impl::act_on_timer() {
    if (!timer || *timer > std::chrono::steady_clock::now()) return;
    timer.reset();
    act(CURL_SOCKET_TIMEOUT, 0);
}

std::chrono::milliseconds CurlTransport::Impl::until_timer(std::chrono::milliseconds most) const {
    if (!timer) return most;
    return std::min(most, std::chrono::ceil<std::chrono::milliseconds>(
                              *timer - std::chrono::steady_clock::now()));
}

// What curl's calls have left to do.
void CurlTransport::Impl::finish_acts() {
    drop_abandoned();
    rethrow();
    reap();
}

void CurlTransport::Impl::reap() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        const CURLcode code = message->data.result;
        char* owner = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        auto& transfer = *reinterpret_cast<Transfer*>(owner);
        curl_multi_remove_handle(multi, message->easy_handle);
        share_changed = share_changed || transfer.is_file();
        transfer.state = Transfer::State::ending;
        Outcome<Reply> outcome = transfer.outcome(code);
        if (is_early(transfer)) {
            transfer.rest(std::move(outcome));
        } else {
            end(transfer, std::move(outcome));
        }
        rethrow();
    }
}

void CurlTransport::Impl::end(Transfer& transfer, Outcome<Reply> outcome) {
    const bool silent = transfer.abandoned();
    // Released first: on_end may start the next request, on the same handle.
    const Receiver receiver = transfer.release();
    idle.push_back(&transfer);
    context.called = true;
    if (!silent) receiver.on_end(std::move(outcome));
    rethrow();
}

// The limit has two parts. curl slows down each transfer to its share, but what fits into its
// buffer it takes at once, and most files do. So one that is done before its share of the rate
// allows rests, and ends only then: whoever starts the next when one has ended is slowed down with
// it.
void CurlTransport::Impl::share_rate() {
    if (context.options.file_rate <= 0 || !std::exchange(share_changed, false)) return;
    const auto shares = [](const auto& transfer) {
        return transfer->is_file() && (transfer->state == Transfer::State::running ||
                                       transfer->state == Transfer::State::resting);
    };
    const std::int64_t sharers = std::count_if(all.begin(), all.end(), shares);
    share =
        std::max<std::int64_t>(1, context.options.file_rate / std::max<std::int64_t>(1, sharers));
    for (const auto& transfer : all) {
        if (shares(transfer)) transfer->limit_rate(share);
    }
}

bool CurlTransport::Impl::is_early(const Transfer& transfer) const {
    return context.options.file_rate > 0 && transfer.is_file() && !transfer.abandoned() &&
           transfer.time_left(share) > 0ms;
}

void CurlTransport::Impl::end_rested() {
    // NOLINTNEXTLINE(modernize-loop-convert): by number, because on_end may add to `all`
    for (std::size_t i = 0; i < all.size(); ++i) {
        Transfer& transfer = *all[i];
        if (transfer.state != Transfer::State::resting || transfer.time_left(share) > 0ms) continue;
        transfer.state = Transfer::State::ending;
        share_changed = true;
        end(transfer, transfer.rested());
    }
}

std::chrono::milliseconds CurlTransport::Impl::until_rested(std::chrono::milliseconds most) const {
    if (context.options.file_rate <= 0) return most;
    for (const auto& transfer : all) {
        if (transfer->state == Transfer::State::resting)
            most = std::min(most, transfer->time_left(share));
    }
    return most;
}

void CurlTransport::Impl::drop_abandoned() {
    for (const std::unique_ptr<Transfer>& transfer : all) {
        const bool held =
            transfer->state != Transfer::State::idle && transfer->state != Transfer::State::ending;
        if (!held || !transfer->abandoned()) continue;
        curl_multi_remove_handle(multi, transfer->easy());
        share_changed = share_changed || transfer->is_file();
        transfer->release();
        idle.push_back(transfer.get());
    }
}

void CurlTransport::Impl::drop_all() {
    queued.clear();
    for (const std::unique_ptr<Transfer>& transfer : all) {
        if (transfer->state != Transfer::State::idle) transfer->abandon();
    }
    if (!in_curl) drop_abandoned();  // else perform() does it
}

void CurlTransport::Impl::rethrow() {
    if (context.thrown) std::rethrow_exception(std::exchange(context.thrown, nullptr));
}

CurlTransport::CurlTransport(TransportOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

CurlTransport::~CurlTransport() = default;

void CurlTransport::start(Request request, Receiver receiver) {
    Transfer& transfer = impl_->idle_transfer();
    transfer.assign(std::move(request), std::move(receiver));
    transfer.state = Transfer::State::queued;
    impl_->queued.push_back(&transfer);
}

void CurlTransport::wait(std::chrono::milliseconds most, int also) {
    impl_->context.called = false;
    impl_->begin_queued();
    impl_->end_rested();
    impl_->share_rate();
    impl_->act_on_timer();
    impl_->finish_acts();
    if (impl_->context.called) return;

    most = impl_->until_timer(impl_->until_rested(most));
    impl_->readiness.wait(most, also, [this](int socket, std::uint32_t ready) {
        const int events = ((ready & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                           ((ready & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                           ((ready & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
        impl_->act(socket, events);
    });
    impl_->act_on_timer();
    impl_->finish_acts();
    impl_->end_rested();
}

void CurlTransport::cancel_all() {
    impl_->drop_all();
}

void CurlTransport::wake() {
    impl_->readiness.wake();
}

std::string user_agent(const std::string& contact) {
    const std::string product = "pep381d/" PEP381D_VERSION;
    return contact.empty() ? product : product + " (" + contact + ")";
}

}  // namespace pep381d
