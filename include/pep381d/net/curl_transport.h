// The transport over libcurl's multi interface. One per process thread that transfers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "pep381d/net/transport.h"

namespace pep381d {

struct TransportOptions {
    std::string user_agent;
    std::string ca_file;  // empty: the system's
    std::string proxy;    // empty: none, not even from the environment
    std::chrono::milliseconds timeout{30'000};  // to connect, and the longest time without a byte
    std::int64_t file_rate = 0;  // bytes a second, shared among the running Peer::file transfers; 0: no limit
};

class CurlTransport final : public Transport {
  public:
    explicit CurlTransport(TransportOptions options);
    ~CurlTransport() override;

    void start(Request request, Receiver receiver) override;
    void wait(std::chrono::milliseconds most, int also) override;
    void cancel_all() override;
    void wake() override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// `pep381d/0.1.0 (CONTACT)`
std::string user_agent(const std::string& contact);

}  // namespace pep381d
