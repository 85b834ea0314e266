// A small HTTP/1.1 server that can misbehave on purpose: a thread for each connection, so that a
// slow answer holds up nobody else. The handler is called from many threads at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sample {

struct Request {
    std::string method;
    std::string target;  // as it was sent: path and query
    std::string path;    // percent-decoded
    std::string query;
    std::map<std::string, std::string> headers;  // names in small letters
    std::string body;

    std::string header(const std::string& small_name) const;
};

struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::shared_ptr<const std::string> body = std::make_shared<const std::string>();
    // Misbehaviour.
    int delay_ms = 0;
    bool hang = false;                       // no answer at all, until the client goes away
    std::optional<std::uint64_t> cut_after;  // bytes of the body, then the connection ends
    int drip_ms = 0;                         // for each byte of the body
    bool reset = false;                      // no answer: the connection is reset
    bool endless = false;                    // the body again and again, for ever

    void set(const std::string& name, std::string value);
    std::string header(const std::string& name) const;
    void set_body(std::string text);
};

using Handler = std::function<Response(const Request&)>;

class Listener {
  public:
    // `address` is IPv4:PORT; port 0 takes any. Throws std::runtime_error.
    Listener(const std::string& address, Handler handler);
    ~Listener();  // ends all that hangs, and joins
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::string url() const;

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace sample
