// One HTTP request on one curl handle, from its options to its outcome; then the handle takes the
// next one. It does not know when it runs: that is CurlTransport's. Thread rule: the transport's.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "pep381d/net/address.h"
#include "pep381d/net/curl_transport.h"
#include "pep381d/net/gunzip.h"
#include "pep381d/net/speed_watch.h"

namespace pep381d {

// What all transfers of a transport share.
struct TransferContext {
    TransportOptions options;
    AddressGuard guard;
    // What a receiver threw: kept here while curl's frames are on the stack, thrown by wait().
    std::exception_ptr thrown;
    bool called = false;  // a receiver was, since somebody cleared this
};

class Transfer {
  public:
    enum class State { idle, queued, running, resting, ending };

    explicit Transfer(TransferContext& context);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    void* easy() const { return easy_; }  // CURL*
    bool is_file() const { return request_.peer != Peer::master; }

    void assign(Request request, Receiver receiver);
    // Sets the handle up for the request; a failure where it must not run.
    Done prepare();
    // From here on no callback of the receiver is called.
    void abandon() { abandoned_ = true; }
    bool abandoned() const { return abandoned_; }
    void limit_rate(std::int64_t bytes_a_second);
    // After curl is done (`code`: CURLcode), or did not begin: calls on_head where it is due.
    Outcome<Reply> outcome(int code);
    // Until it has taken as long as its bytes do at this rate.
    std::chrono::milliseconds time_left(std::int64_t bytes_a_second) const;
    // Keeps the outcome until the transfer may end.
    void rest(Outcome<Reply> outcome);
    Outcome<Reply> rested() { return std::move(*rested_); }
    // Ready for the next request; the receiver of this one is handed over.
    Receiver release();

    State state = State::idle;

  private:
    struct Callbacks;

    // Of error pages and redirects: worth a connection kept.
    static constexpr std::int64_t most_unwanted_bytes = 64 * 1024;

    Done check_url();
    void set_shared_options();
    void set_request_options();
    void set_headers();

    void receive_head();
    bool receive_body(std::string_view bytes);
    Done unpack(std::string_view bytes);
    Done deliver(std::string_view bytes);
    Done count(std::int64_t& so_far, std::string_view bytes) const;
    std::optional<Failure> rejected(long status) const;
    void take_reply(long status);
    Done choose_decoder();
    bool starts_where_asked() const;
    std::string header(const char* name) const;

    std::chrono::milliseconds elapsed() const;
    bool admits_request(std::string address);
    bool trickles(std::int64_t downloaded);
    int open_socket(const sockaddr& address, int type, int protocol);
    Failure broken_off(int code) const;
    Failure named(Failure failure) const;
    // Calls what may throw; false, and the exception kept, where it did.
    template <class Call>
    bool guarded(Call call);

    TransferContext& context_;
    std::chrono::steady_clock::time_point begun_;
    void* easy_;
    Request request_;
    Receiver receiver_;
    Reply reply_;
    void* headers_ = nullptr;        // curl_slist*
    std::array<char, 256> error_{};  // CURL_ERROR_SIZE
    std::optional<Failure> failure_;
    std::optional<Outcome<Reply>> rested_;
    std::string refused_address_;
    bool abandoned_ = false;
    bool head_ended_ = false;     // the blank line below the headers came
    bool head_received_ = false;  // ... and was judged, and on_head called
    // The answer is none that was asked for: its body is read, up to a limit, and dropped.
    bool rejected_ = false;
    bool packed_ = false;  // the body comes through gunzip_
    Gunzip gunzip_;
    SpeedWatch watch_;
    std::int64_t received_ = 0;      // body bytes, decoded
    std::int64_t packed_bytes_ = 0;  // before that
    std::int64_t header_bytes_ = 0;  // of all answers on the way, redirects and trailers included
};

}  // namespace pep381d
