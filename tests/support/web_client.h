// The smallest HTTP client: sends what it is told, byte for byte, and shows what came back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pep381d/base/descriptor.h"

struct WebAnswer {
    int status = 0;
    std::string head;  // status line and headers
    std::string body;

    // The value, or empty; two lines of the name: joined by `|`, because no test wants that.
    std::string header(const std::string& name) const;
};

class WebClient {
  public:
    explicit WebClient(std::uint16_t port);

    void send(const std::string& bytes);
    // One answer, as long as its Content-Length says; the connection may go on.
    WebAnswer receive(bool head_only = false);
    // What the first read() brings.
    std::string receive_once();
    // Whether the server has closed; waits for it.
    bool closed();

  private:
    bool fill();

    pep381d::Descriptor socket_;
    std::string buffer_;
};

// One request on a connection of its own.
WebAnswer get(std::uint16_t port, const std::string& target,
              const std::vector<std::string>& headers = {}, const std::string& method = "GET");
