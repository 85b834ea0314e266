#include "support/rude_server.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <strings.h>
#include <sys/socket.h>
#include <utility>

namespace pep381d::test {
namespace {

// Reads on until `enough` holds for what was read; false at the end of the connection.
template <class Enough>
bool read_until(int fd, std::string& buffer, Enough enough) {
    char piece[16384];
    while (!enough()) {
        const ssize_t n = ::recv(fd, piece, sizeof piece, 0);
        if (n <= 0) return false;
        buffer.append(piece, static_cast<std::size_t>(n));
    }
    return true;
}

bool read_request(int fd, std::string& buffer, Asked& asked) {
    std::size_t end = 0;
    if (!read_until(fd, buffer,
                    [&] { return (end = buffer.find("\r\n\r\n")) != std::string::npos; }))
        return false;
    asked.head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    const std::size_t blank = asked.head.find(' ');
    asked.method = asked.head.substr(0, blank);
    asked.target = asked.head.substr(blank + 1, asked.head.find(' ', blank + 1) - blank - 1);

    const std::size_t length = std::strtoul(asked.header("Content-Length").c_str(), nullptr, 10);
    if (!read_until(fd, buffer, [&] { return buffer.size() >= length; })) return false;
    asked.body = buffer.substr(0, length);
    buffer.erase(0, length);
    return true;
}

}  // namespace

std::string Asked::header(std::string_view name) const {
    for (std::size_t line = head.find("\r\n"); line != std::string::npos;
         line = head.find("\r\n", line + 2)) {
        const std::size_t start = line + 2;
        const std::size_t colon = start + name.size();
        if (colon >= head.size() || head[colon] != ':') continue;
        if (::strncasecmp(head.c_str() + start, name.data(), name.size()) != 0) continue;
        const std::size_t value = head.find_first_not_of(' ', colon + 1);
        return head.substr(value, head.find("\r\n", colon) - value);
    }
    return {};
}

std::string answer(std::string_view status_line, std::string_view headers, std::string_view body) {
    std::string bytes = "HTTP/1.1 ";
    bytes.append(status_line)
        .append("\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n");
    bytes.append(headers).append("\r\n").append(body);
    return bytes;
}

bool Wire::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return open_ = false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool Wire::pause(std::chrono::milliseconds time) {
    if (server_.wait_for_end(time)) open_ = false;
    return open_;
}

void Wire::hang() {
    char byte;
    while (::recv(fd_, &byte, 1, 0) > 0) {
    }
    open_ = false;
}

void Wire::reset() {
    // Dissolving the association sends the reset at once, and the descriptor stays ours.
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    ::connect(fd_, &nobody, sizeof nobody);
    open_ = false;
}

RudeServer::RudeServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), plain, size) != 0 || ::listen(listener_.get(), 128) != 0 ||
        ::getsockname(listener_.get(), plain, &size) != 0) {
        throw std::runtime_error("the rude server cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

RudeServer::~RudeServer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
    }
    ending_changed_.notify_all();
    acceptor_.join();
    for (const Connection& connection : connections_) ::shutdown(connection.fd.get(), SHUT_RDWR);
    for (Connection& connection : connections_) connection.thread.join();
}

void RudeServer::on(std::string target, Script script) {
    const std::lock_guard lock(mutex_);
    scripts_[std::move(target)] = std::move(script);
}

void RudeServer::on(std::string target, std::string bytes) {
    on(std::move(target),
       [bytes = std::move(bytes)](Wire& wire, const Asked&) { wire.send(bytes); });
}

std::string RudeServer::url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
}

std::vector<Asked> RudeServer::asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
}

int RudeServer::connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(connections_.size());
}

void RudeServer::accept_all() {
    for (;;) {
        Descriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const std::lock_guard lock(mutex_);
        if (!fd || ending_) return;
        const int number = static_cast<int>(connections_.size());
        const int raw = fd.get();
        connections_.push_back(
            {std::move(fd), std::thread([this, raw, number] { serve(raw, number); })});
    }
}

void RudeServer::serve(int fd, int number) {
    std::string buffer;
    Wire wire(*this, fd);
    while (wire.is_open()) {
        Asked asked;
        if (!read_request(fd, buffer, asked)) break;
        asked.connection = number;
        Script script = [](Wire& to, const Asked&) { to.send(answer("404 Not Found", "", "")); };
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back(asked);
            if (const auto found = scripts_.find(asked.target); found != scripts_.end())
                script = found->second;
        }
        script(wire, asked);
    }
    ::shutdown(fd, SHUT_RDWR);
    // The descriptor itself is closed with the server: its number must not be given away while
    // others may shut it down.
}

bool RudeServer::wait_for_end(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return ending_changed_.wait_for(lock, time, [this] { return ending_; });
}

}  // namespace pep381d::test
