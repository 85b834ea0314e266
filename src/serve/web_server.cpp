#include "pep381d/serve/web_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <microhttpd.h>

#include "pep381d/base/outcome.h"
#include "pep381d/serve/listen_address.h"
#include "pep381d/serve/site.h"
#include "pep381d/serve/words.h"

namespace pep381d {

namespace {

constexpr unsigned int idle_timeout = 60;  // seconds
constexpr std::size_t connection_memory =
    16 * 1024;  // bytes: request line and headers, and our headers
constexpr std::size_t body_limit =
    1024 * 1024;  // bytes of a request's body that we read to refuse it politely
constexpr rlim_t most_connections = 1000;

// Every connection may hold a socket and a file; the rest of the daemon must not run out of
// descriptors because of them.
unsigned int connection_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return most_connections;
    return static_cast<unsigned int>(
        std::clamp<rlim_t>(limit.rlim_cur / 2 - limit.rlim_cur / 8, 16, most_connections));
}

// What we remember of a connection.
struct Client {
    int socket = -1;
    std::chrono::steady_clock::time_point since;  // when it began to make up its request
    bool answered = false;                        // ... and it has been understood
};

// What we remember of a request between the callbacks.
struct Exchange {
    std::string target;
    bool begun = false;
    std::size_t body = 0;  // bytes
};

// All lines of that name, joined as RFC 9110 5.2 says.
std::optional<std::string> header(MHD_Connection* connection, std::string_view name) {
    struct Search {
        std::string_view name;
        std::vector<const char*> values;
    } search{name, {}};
    const auto visit = [](void* context, MHD_ValueKind, const char* key,
                          const char* value) noexcept {
        auto& found = *static_cast<Search*>(context);
        try {
            if (value != nullptr && same_word(key, found.name)) found.values.push_back(value);
            return MHD_YES;
        } catch (...) {
            return MHD_NO;
        }
    };
    MHD_get_connection_values(connection, MHD_HEADER_KIND, visit, &search);
    if (search.values.empty()) return std::nullopt;
    return fmt::format("{}", fmt::join(search.values, ","));
}

SiteRequest request_of(MHD_Connection* connection, const Exchange& exchange, bool head) {
    SiteRequest request;
    request.head = head;
    request.target = exchange.target;
    request.accept = header(connection, MHD_HTTP_HEADER_ACCEPT);
    request.if_none_match = header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
    request.if_modified_since = header(connection, MHD_HTTP_HEADER_IF_MODIFIED_SINCE);
    request.range = header(connection, MHD_HTTP_HEADER_RANGE);
    request.if_range = header(connection, MHD_HTTP_HEADER_IF_RANGE);
    return request;
}

MHD_Result send(MHD_Connection* connection, SiteReply reply) {
    MHD_Response* response = reply.descriptor
                                 ? MHD_create_response_from_fd_at_offset64(
                                       reply.length, reply.descriptor.get(), reply.offset)
                                 : MHD_create_response_from_buffer(
                                       reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    reply.descriptor.release();
    for (const auto& [name, value] : reply.headers)
        MHD_add_response_header(response, name.c_str(), value.c_str());
    const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

SiteReply refused_method() {
    SiteReply reply = text_reply(405, "Only GET and HEAD are served");
    reply.add("Allow", "GET, HEAD");
    return reply;
}

// Null where there was no memory for it.
Client* client_of(MHD_Connection* connection) {
    return static_cast<Client*>(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
}

}  // namespace

struct WebServer::Impl {
    Impl(const WebServerOptions& options, Log& log_to)
        : log(log_to), site(options.root, log_to), patience(options.patience) {}
    ~Impl() {
        eventfd_write(stop.get(), 1);
        if (thread.joinable()) thread.join();
        if (daemon != nullptr) MHD_stop_daemon(daemon);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    SiteReply reply_to(MHD_Connection* connection, const Exchange& exchange,
                       std::string_view method);

    void drop_slow_ones();
    void serve();

    static void connection_changed(void* self, MHD_Connection* connection, void** context,
                                   MHD_ConnectionNotificationCode code) noexcept;
    static void* begin(void* self, const char* target, MHD_Connection*) noexcept;
    static MHD_Result handle(void* self, MHD_Connection* connection, const char*,
                             const char* method, const char*, const char*, std::size_t* size,
                             void** context) noexcept;
    static void end(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) noexcept;
    static void report(void* self, const char* format, va_list arguments) noexcept;

    Log& log;
    Site site;
    std::chrono::milliseconds patience;
    const unsigned int most_clients = connection_limit();
    std::unordered_set<Client*> clients;  // of the server's thread
    bool freed = false;                   // likewise: a connection has ended since the last turn
    MHD_Daemon* daemon = nullptr;
    std::uint16_t port = 0;
    Descriptor stop{eventfd(0, EFD_CLOEXEC)};
    std::thread thread;
};

SiteReply WebServer::Impl::reply_to(MHD_Connection* connection, const Exchange& exchange,
                                    std::string_view method) {
    const bool head = method == MHD_HTTP_METHOD_HEAD;
    if (!head && method != MHD_HTTP_METHOD_GET) return refused_method();
    try {
        return site.answer(request_of(connection, exchange, head));
    } catch (const std::exception& error) {
        log.debug(fmt::format("request-failed target={} cause={}", quoted(exchange.target),
                              quoted(error.what())));
        return text_reply(500, "Internal error");
    }
}

// A byte a minute keeps a connection busy for the server's own timeout; so many of them would take
// all that there are.
void WebServer::Impl::drop_slow_ones() {
    if (clients.size() <= most_clients / 2) return;
    const auto longest_ago = std::chrono::steady_clock::now() - patience;
    for (const Client* client : clients)
        if (!client->answered && client->since < longest_ago) ::shutdown(client->socket, SHUT_RD);
}

void WebServer::Impl::connection_changed(void* self, MHD_Connection* connection, void** context,
                                         MHD_ConnectionNotificationCode code) noexcept {
    auto& impl = *static_cast<Impl*>(self);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        auto* client = static_cast<Client*>(*context);
        impl.clients.erase(client);
        delete client;
        *context = nullptr;
        impl.freed = true;
        return;
    }
    try {
        const int socket =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        auto client = std::make_unique<Client>(Client{socket, std::chrono::steady_clock::now()});
        impl.clients.insert(client.get());
        *context = client.release();
        impl.drop_slow_ones();
    } catch (...) {
    }
}

void* WebServer::Impl::begin(void*, const char* target, MHD_Connection*) noexcept {
    try {
        auto exchange = std::make_unique<Exchange>();
        exchange->target = target == nullptr ? "" : target;
        return exchange.release();
    } catch (...) {
        return nullptr;
    }
}

MHD_Result WebServer::Impl::handle(void* self, MHD_Connection* connection, const char*,
                                   const char* method, const char*, const char*, std::size_t* size,
                                   void** context) noexcept {
    auto* exchange = static_cast<Exchange*>(*context);
    if (exchange == nullptr) return MHD_NO;
    // An answer before the body was read would cost the client its connection.
    if (!exchange->begun) {
        exchange->begun = true;
        return MHD_YES;
    }
    if (*size > 0) {
        exchange->body += *size;
        *size = 0;
        return exchange->body > body_limit ? MHD_NO : MHD_YES;
    }
    if (Client* client = client_of(connection)) client->answered = true;
    try {
        return send(connection, static_cast<Impl*>(self)->reply_to(connection, *exchange, method));
    } catch (...) {
        return MHD_NO;
    }
}

void WebServer::Impl::end(void*, MHD_Connection* connection, void** context,
                          MHD_RequestTerminationCode) noexcept {
    if (Client* client = client_of(connection)) {
        client->answered = false;
        client->since = std::chrono::steady_clock::now();
    }
    delete static_cast<Exchange*>(*context);
    *context = nullptr;
}

// A thread of ours and not of the library's: stopped while it refuses a request, the library's uses
// the answer that it has not made (0.9.75). Here nothing is answered any more when it is stopped.
void WebServer::Impl::serve() {
    // No signal of the daemon's, and no SIGPIPE of sendfile; but faults of its own.
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, nullptr);

    const int ready = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    std::array<pollfd, 2> waited{{{stop.get(), POLLIN, 0}, {ready, POLLIN, 0}}};
    for (;;) {
        MHD_UNSIGNED_LONG_LONG left = 0;  // ms, idle_timeout at most
        const bool timed = MHD_get_timeout(daemon, &left) == MHD_YES;
        int wait = timed ? static_cast<int>(left) : -1;
        // Who waits for the end of another connection is seen to in the next turn only.
        if (std::exchange(freed, false)) wait = 0;
        const int count = ::poll(waited.data(), waited.size(), wait);
        if (count > 0 && waited[0].revents != 0) return;
        MHD_run(daemon);
    }
}

void WebServer::Impl::report(void* self, const char* format, va_list arguments) noexcept {
    try {
        char text[300];
        std::vsnprintf(text, sizeof text, format, arguments);
        std::string_view line(text);
        while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
        static_cast<Impl*>(self)->log.debug(fmt::format("web-server message={}", quoted(line)));
    } catch (...) {
    }
}

WebServer::WebServer(WebServerOptions options, Log& log)
    : impl_(std::make_unique<Impl>(options, log)) {
    if (!impl_->stop)
        throw Fatal(5, fmt::format("eventfd: {}; ulimit -n may be too low", std::strerror(errno)));
    Descriptor socket = listen_on(options.address);
    impl_->port = port_of(socket);

    // The logger comes first, because it is told of mistakes in the options behind it.
    impl_->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &Impl::handle, impl_.get(),
        MHD_OPTION_EXTERNAL_LOGGER, &Impl::report, impl_.get(), MHD_OPTION_URI_LOG_CALLBACK,
        &Impl::begin, impl_.get(), MHD_OPTION_NOTIFY_COMPLETED, &Impl::end, impl_.get(),
        MHD_OPTION_NOTIFY_CONNECTION, &Impl::connection_changed, impl_.get(),
        MHD_OPTION_LISTEN_SOCKET, socket.get(), MHD_OPTION_CONNECTION_LIMIT, impl_->most_clients,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_timeout, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        connection_memory, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (impl_->daemon == nullptr) {
        throw Fatal(5, fmt::format("listen.address {}: the web server did not start: {}",
                                   options.address, std::strerror(errno)));
    }
    socket.release();
    try {
        impl_->thread = std::thread(&Impl::serve, impl_.get());
    } catch (const std::system_error& error) {
        throw Fatal(5, fmt::format("listen.address {}: the web server did not start: {}",
                                   options.address, error.what()));
    }
}

WebServer::~WebServer() = default;

std::uint16_t WebServer::port() const {
    return impl_->port;
}

}  // namespace pep381d
