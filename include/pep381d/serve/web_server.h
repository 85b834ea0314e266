// The embedded web server: the published tree, read-only, as PyPI's clients want it served. It has
// a thread of its own and touches neither the state nor the network side.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "pep381d/base/log.h"

namespace pep381d {

struct WebServerOptions {
    std::string root;     // the `web/` directory
    std::string address;  // `127.0.0.1:8381`, `[::1]:8381`; port 0: any free one
    // Once half of the connections that there may be are taken, those are closed whose client takes
    // longer than this for a request, byte by byte or not at all.
    std::chrono::milliseconds patience = std::chrono::seconds(30);
};

class WebServer {
  public:
    // Listens and serves until destroyed. Throws Fatal(2) for an address it does not understand,
    // Fatal(5) where it cannot listen, naming the address and the key listen.address.
    WebServer(WebServerOptions options, Log& log);
    ~WebServer();
    std::uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pep381d
