// An HTTP server on loopback that does exactly what a test tells it to, good manners or not: it
// sends raw bytes, waits, drips, hangs, cuts and floods. A thread for each connection; all of them
// end with the server.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pep381d/base/descriptor.h"

namespace pep381d::test {

// A request as it arrived.
struct Asked {
    std::string method;
    std::string target;
    std::string head;  // request line and headers, as sent
    std::string body;
    int connection = 0;  // counted from 0, in order of arrival
    // The value of the first header of that name; empty where there is none.
    std::string header(std::string_view name) const;
};

class RudeServer;

// The server's end of one connection, while it answers one request. All verbs give false once the
// peer is gone or the server is to end, so that loops of a script end.
class Wire {
  public:
    Wire(RudeServer& server, int fd) : server_(server), fd_(fd) {}

    bool send(std::string_view bytes);
    bool pause(std::chrono::milliseconds time);
    // Until the peer goes away.
    void hang();
    // No further request is read from this connection; it is closed after the script.
    void close() { open_ = false; }
    // The same, but with a TCP reset.
    void reset();

    bool is_open() const { return open_; }

  private:
    RudeServer& server_;
    int fd_;
    bool open_ = true;
};

// A whole answer with Content-Length; `headers`: lines, each with its CRLF.
std::string answer(std::string_view status_line, std::string_view headers, std::string_view body);
inline std::string ok(std::string_view body, std::string_view headers = {}) {
    return answer("200 OK", headers, body);
}

class RudeServer {
  public:
    using Script = std::function<void(Wire&, const Asked&)>;

    RudeServer();
    ~RudeServer();

    // What happens when the target (path and query) is asked for; 404 for all others.
    void on(std::string target, Script script);
    void on(std::string target, std::string bytes);

    int port() const { return port_; }
    std::string url(std::string_view target) const;
    std::vector<Asked> asked() const;  // so far, in order
    int connections() const;           // so far

  private:
    friend class Wire;
    struct Connection {
        Descriptor fd;
        std::thread thread;
    };

    void accept_all();
    void serve(int fd, int number);
    bool wait_for_end(std::chrono::milliseconds time);

    Descriptor listener_;
    int port_ = 0;
    mutable std::mutex mutex_;
    std::condition_variable ending_changed_;
    bool ending_ = false;
    std::map<std::string, Script, std::less<>> scripts_;
    std::vector<Asked> asked_;
    std::list<Connection> connections_;
    std::thread acceptor_;
};

}  // namespace pep381d::test
