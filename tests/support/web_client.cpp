#include "support/web_client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

std::string WebAnswer::header(const std::string& name) const {
    std::string found;
    const std::string wanted = "\r\n" + lower(name) + ": ";
    const std::string haystack = lower(head);
    for (std::size_t at = haystack.find(wanted); at != std::string::npos;
         at = haystack.find(wanted, at + 1)) {
        const std::size_t start = at + wanted.size();
        if (!found.empty()) found += '|';
        found += head.substr(start, head.find("\r\n", start) - start);
    }
    return found;
}

WebClient::WebClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    // A hung server fails the test instead of hanging it.
    const timeval patience{20, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("connect");
}

void WebClient::send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t n =
            ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) throw std::runtime_error("send");
        sent += static_cast<std::size_t>(n);
    }
}

bool WebClient::fill() {
    const std::string more = receive_once();
    buffer_ += more;
    return !more.empty();
}

std::string WebClient::receive_once() {
    std::string bytes(65536, '\0');
    const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
}

WebAnswer WebClient::receive(bool head_only) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) throw std::runtime_error("no answer; got: " + buffer_);
    WebAnswer answer;
    answer.head = buffer_.substr(0, end + 2);
    answer.status = std::stoi(answer.head.substr(answer.head.find(' ') + 1, 3));
    buffer_.erase(0, end + 4);
    const std::string length = answer.header("Content-Length");
    const bool bodyless = head_only || answer.status == 304 || answer.status == 100;
    const std::size_t size = bodyless || length.empty() ? 0 : std::stoul(length);
    while (buffer_.size() < size)
        if (!fill()) throw std::runtime_error("body cut short");
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
}

bool WebClient::closed() {
    return buffer_.empty() && receive_once().empty();
}

WebAnswer get(std::uint16_t port, const std::string& target,
              const std::vector<std::string>& headers, const std::string& method) {
    WebClient client(port);
    std::string request = method + ' ' + target + " HTTP/1.1\r\nHost: mirror\r\n";
    for (const std::string& header : headers) request += header + "\r\n";
    client.send(request + "Connection: close\r\n\r\n");
    WebAnswer answer = client.receive(method == "HEAD");
    if (!client.closed()) throw std::runtime_error("bytes behind the answer");
    return answer;
}
