// The transport over libcurl's multi interface. One per process thread that transfers.
//
// What a receiver throws ends its transfer and comes out of wait(); the transport can go on after
// that. A receiver may call start() and cancel_all(), not wait(), and must not destroy the
// transport. Files on private addresses are refused until a connection to the master was made to
// one (address.h), so the master comes first.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "pep381d/net/transport.h"

namespace pep381d {

enum class IpVersion { any, v4, v6 };

struct TransportOptions {
    std::string user_agent;
    std::string ca_file;  // empty: the system's; else it alone decides whom we trust
    std::string proxy;    // empty: none, not even from the environment
    std::chrono::milliseconds timeout{
        30'000};  // to connect, and without a byte (there in whole seconds, rounded up)
    std::int64_t file_rate =
        0;  // bytes a second, shared among the running transfers of files; 0: no limit
    IpVersion ip_version = IpVersion::any;
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

// `pep381d/0.1.0 (CONTACT)`, or without the brackets where there is no contact.
std::string user_agent(const std::string& contact);

}  // namespace pep381d
