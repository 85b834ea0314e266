#include "support/sample/http.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "support/sample/text.h"

namespace sample {

namespace {

constexpr std::size_t largest_body = 64U << 20U;

// Waits so long (-1: for ever), or until the client goes away or the listener stops: then false.
bool pause(int client, int stop_event, int milliseconds) {
    pollfd watched[2] = {{client, POLLRDHUP, 0}, {stop_event, POLLIN, 0}};
    return poll(watched, 2, milliseconds) == 0;
}

struct Delivery {
    Response response;
    int client;
    int stop_event;
};

ssize_t deliver(void* context, std::uint64_t at, char* buffer, std::size_t room) {
    const auto& delivery = *static_cast<Delivery*>(context);
    const auto& body = *delivery.response.body;
    if (delivery.response.endless && !body.empty()) at %= body.size();
    const auto end =
        std::min<std::uint64_t>(body.size(), delivery.response.cut_after.value_or(body.size()));
    if (at >= end) return MHD_CONTENT_READER_END_WITH_ERROR;
    auto count = std::min<std::size_t>(room, end - at);
    if (delivery.response.drip_ms > 0) {
        if (!pause(delivery.client, delivery.stop_event, delivery.response.drip_ms))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        count = 1;
    }
    std::memcpy(buffer, body.data() + at, count);
    return static_cast<ssize_t>(count);
}

using Body = std::shared_ptr<const std::string>;

MHD_Response* library_response(const Response& response, int client, int stop_event) {
    if (response.cut_after || response.drip_ms > 0 || response.endless)
        return MHD_create_response_from_callback(
            response.endless ? MHD_SIZE_UNKNOWN : response.body->size(), 32768, deliver,
            new Delivery{response, client, stop_event},
            [](void* context) { delete static_cast<Delivery*>(context); });
    auto* bytes = const_cast<char*>(response.body->data());
    return MHD_create_response_from_buffer_with_free_callback_cls(
        response.body->size(), bytes, [](void* body) { delete static_cast<Body*>(body); },
        new Body{response.body});
}

// One request while its parts arrive.
struct Arrival {
    Request request;
    bool begun = false;
};

Response handled(const Handler& handler, const Request& request) {
    try {
        return handler(request);
    } catch (const std::exception& error) {
        Response response;
        response.status = 500;
        response.set("Content-Type", "text/plain");
        response.set_body(std::string{"500 "} + error.what() + "\n");
        return response;
    }
}

MHD_Result take_header(void* context, MHD_ValueKind, const char* name, const char* value) {
    static_cast<Request*>(context)->headers[lower(name)] = value != nullptr ? value : "";
    return MHD_YES;
}

void* begin(void*, const char* target, MHD_Connection*) {
    auto* arrival = new Arrival;
    auto& request = arrival->request;
    request.target = target;
    const auto mark = request.target.find('?');
    request.path = percent_decoded(request.target.substr(0, mark));
    if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
    return arrival;
}

void end(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    delete static_cast<Arrival*>(*context);
    *context = nullptr;
}

sockaddr_in address_of(const std::string& text) {
    const auto colon = text.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    std::size_t used = 0;
    try {
        const auto port = std::stoul(text.substr(colon + 1), &used);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
    } catch (const std::logic_error&) {
        used = 0;
    }
    if (colon == std::string::npos || used == 0 ||
        inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1)
        throw std::runtime_error("not an address like 127.0.0.1:8380: " + text);
    return address;
}

}  // namespace

struct Listener::Inside {
    Handler handler;
    std::string host;
    int stop_event = eventfd(0, EFD_CLOEXEC);
    MHD_Daemon* daemon = nullptr;

    MHD_Result send(MHD_Connection* connection, const Response& response) const {
        const auto* socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        const int client = socket->connect_fd;
        if (response.hang) {
            pause(client, stop_event, -1);
            return MHD_NO;
        }
        if (response.reset) {
            // So Linux sends RST; an ordinary close would send FIN.
            const sockaddr nobody{AF_UNSPEC, {}};
            connect(client, &nobody, sizeof nobody);
            return MHD_NO;
        }
        if (response.delay_ms > 0 && !pause(client, stop_event, response.delay_ms)) return MHD_NO;
        MHD_Response* answer = library_response(response, client, stop_event);
        for (const auto& [name, value] : response.headers)
            MHD_add_response_header(answer, name.c_str(), value.c_str());
        const auto queued =
            MHD_queue_response(connection, static_cast<unsigned>(response.status), answer);
        MHD_destroy_response(answer);
        return queued;
    }

    // Called once with the headers, then for each part of the body, then with none left.
    static MHD_Result answer(void* self, MHD_Connection* connection, const char*,
                             const char* method, const char*, const char* part, std::size_t* size,
                             void** context) {
        const auto& inside = *static_cast<Inside*>(self);
        auto& arrival = *static_cast<Arrival*>(*context);
        if (!arrival.begun) {
            arrival.begun = true;
            arrival.request.method = method;
            MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &arrival.request);
            return MHD_YES;
        }
        if (*size > 0) {
            if (arrival.request.body.size() + *size > largest_body) return MHD_NO;
            arrival.request.body.append(part, *size);
            *size = 0;
            return MHD_YES;
        }
        return inside.send(connection, handled(inside.handler, arrival.request));
    }
};

Listener::Listener(const std::string& address, Handler handler)
    : inside_{std::make_unique<Inside>()} {
    const sockaddr_in where = address_of(address);
    inside_->handler = std::move(handler);
    inside_->host = address.substr(0, address.rfind(':'));
    constexpr unsigned connections = 1000, idle_seconds = 600;
    inside_->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, nullptr,
        nullptr, &Inside::answer, inside_.get(), MHD_OPTION_SOCK_ADDR, &where,
        MHD_OPTION_URI_LOG_CALLBACK, begin, nullptr, MHD_OPTION_NOTIFY_COMPLETED, end, nullptr,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
        MHD_OPTION_END);
    if (inside_->daemon == nullptr) {
        const std::string cause = std::strerror(errno);
        close(inside_->stop_event);
        throw std::runtime_error("cannot listen on " + address + ": " + cause);
    }
}

Listener::~Listener() {
    eventfd_write(inside_->stop_event, 1);
    MHD_stop_daemon(inside_->daemon);
    close(inside_->stop_event);
}

std::string Listener::url() const {
    const auto* info = MHD_get_daemon_info(inside_->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return "http://" + inside_->host + ":" + std::to_string(info->port);
}

std::string Request::header(const std::string& small_name) const {
    const auto found = headers.find(small_name);
    return found == headers.end() ? "" : found->second;
}

void Response::set(const std::string& name, std::string value) {
    for (auto& [known, old] : headers)
        if (lower(known) == lower(name)) {
            old = std::move(value);
            return;
        }
    headers.emplace_back(name, std::move(value));
}

std::string Response::header(const std::string& name) const {
    for (const auto& [known, value] : headers)
        if (lower(known) == lower(name)) return value;
    return {};
}

void Response::set_body(std::string text) {
    body = std::make_shared<const std::string>(std::move(text));
}

}  // namespace sample
