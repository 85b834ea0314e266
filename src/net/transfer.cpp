#include "pep381d/net/transfer.h"

#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <strings.h>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/net/http_failure.h"

namespace pep381d {
namespace {

// A longer ETag is not worth its place in the state, and a request that is made of it may be more
// than its own server takes.
constexpr std::size_t etag_most = 128;

template <class Value>
Value info(CURL* easy, CURLINFO which) {
    Value value{};
    curl_easy_getinfo(easy, which, &value);
    return value;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

}  // namespace

Transfer::Transfer(TransferContext& context)
    : context_(context), easy_(curl_easy_init()), watch_(context.options.timeout) {
    if (easy_ == nullptr) throw std::bad_alloc();
}

Transfer::~Transfer() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(static_cast<curl_slist*>(headers_));
}

void Transfer::assign(Request request, Receiver receiver) {
    request_ = std::move(request);
    receiver_ = std::move(receiver);
}

void Transfer::receive_head() {
    head_received_ = true;
    const long status = info<long>(easy_, CURLINFO_RESPONSE_CODE);
    if (std::optional<Failure> failure = rejected(status)) {
        rejected_ = true;
        failure_ = named(std::move(*failure));
        return;
    }
    take_reply(status);
    if (status != 304 && reply_.content_length > request_.most_bytes) {
        failure_ = named(
            {Fault::corrupt, fmt::format("announces {} bytes, more than the {} that it may have",
                                         *reply_.content_length, request_.most_bytes)});
        return;
    }
    if (Done known = choose_decoder(); !known) {
        failure_ = named(std::move(known).failure());
        return;
    }
    if (Done done = receiver_.on_head(reply_); !done) failure_ = std::move(done).failure();
}

std::optional<Failure> Transfer::rejected(long status) const {
    if (status == 200 || (status == 304 && !request_.etag.empty())) return std::nullopt;
    if (status == 206 && request_.first_byte > 0) {
        if (starts_where_asked()) return std::nullopt;
        return Failure{Fault::corrupt,
                       fmt::format("HTTP 206 with Content-Range {}, but asked for from byte {} on",
                                   quoted(header("Content-Range")), request_.first_byte)};
    }
    if (request_.redirect_is_gone && status / 100 == 3 && status != 304)
        return Failure{Fault::gone, fmt::format("HTTP {}: a redirect to another name", status)};
    if (!request_.post.empty() && (status == 405 || status == 501))
        return Failure{Fault::gone, fmt::format("HTTP {}: it takes no POST", status)};
    return status_failure(status, request_.first_byte > 0,
                          std::chrono::seconds(info<curl_off_t>(easy_, CURLINFO_RETRY_AFTER)));
}

void Transfer::take_reply(long status) {
    reply_.status = status;
    reply_.url = info<const char*>(easy_, CURLINFO_EFFECTIVE_URL);
    reply_.redirected = info<long>(easy_, CURLINFO_REDIRECT_COUNT) > 0;
    if (const char* type = info<const char*>(easy_, CURLINFO_CONTENT_TYPE))
        reply_.content_type = type;
    reply_.etag = header("ETag");
    if (reply_.etag.size() > etag_most) reply_.etag.clear();
    if (const auto serial = parse_number(header("X-PyPI-Last-Serial")))
        reply_.last_serial = Serial{*serial};
    const auto length = info<curl_off_t>(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
    if (length >= 0) reply_.content_length = length;
}

Done Transfer::choose_decoder() {
    if (request_.encoding == Encoding::raw) return Nothing{};
    curl_header* found = nullptr;
    if (curl_easy_header(easy_, "Content-Encoding", 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return Nothing{};
    const std::string coding = found->value;
    const auto is = [&coding](const char* name) { return ::strcasecmp(coding.c_str(), name) == 0; };
    if (found->amount == 1 && is("identity")) return Nothing{};
    // Also where it was not asked for: old proxies compress whatever they like.
    packed_ = found->amount == 1 && (is("gzip") || is("x-gzip"));
    if (!packed_)
        return Failure{Fault::corrupt, "Content-Encoding " + quoted(coding) + " was not asked for"};
    gunzip_.restart();
    return Nothing{};
}

bool Transfer::starts_where_asked() const {
    return header("Content-Range").starts_with(fmt::format("bytes {}-", request_.first_byte));
}

// Empty where the answer does not have it, or more than once: which of them would count?
std::string Transfer::header(const char* name) const {
    curl_header* found = nullptr;
    if (curl_easy_header(easy_, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK ||
        found->amount != 1)
        return {};
    return found->value;
}

template <class Call>
bool Transfer::guarded(Call call) {
    context_.called = true;
    try {
        call();
        return true;
    } catch (...) {
        if (!context_.thrown) context_.thrown = std::current_exception();
        failure_ = named({Fault::local, "what receives it failed"});
        return false;
    }
}

bool Transfer::receive_body(std::string_view bytes) {
    if (abandoned_) return false;
    if (!head_received_ && !guarded([this] { receive_head(); })) return false;
    if (rejected_) {
        received_ += static_cast<std::int64_t>(bytes.size());
        return received_ <= most_unwanted_bytes;
    }
    if (failure_) return false;
    return guarded([&] {
               if (Done done = packed_ ? unpack(bytes) : deliver(bytes); !done)
                   failure_ = std::move(done).failure();
           }) &&
           !failure_;
}

Done Transfer::unpack(std::string_view bytes) {
    // Counted as well: a gzip can go on for ever and hold nothing.
    if (Done within = count(packed_bytes_, bytes); !within) return within;
    gunzip_.give(bytes);
    for (;;) {
        const Outcome<std::string_view> piece = gunzip_.take();
        if (!piece) return named(piece.failure());
        if (piece.value().empty()) return Nothing{};
        if (Done done = deliver(piece.value()); !done) return done;
    }
}

Done Transfer::deliver(std::string_view bytes) {
    if (Done within = count(received_, bytes); !within) return within;
    return receiver_.on_body(bytes);
}

Done Transfer::count(std::int64_t& so_far, std::string_view bytes) const {
    so_far += static_cast<std::int64_t>(bytes.size());
    if (so_far <= request_.most_bytes) return Nothing{};
    return named({Fault::corrupt,
                  fmt::format("more than the {} bytes that it may have", request_.most_bytes)});
}

// Seen here because open_socket() is not asked about a connection that stands, and an alternate's
// must not serve others.
bool Transfer::admits_request(std::string address) {
    const bool redirected = info<long>(easy_, CURLINFO_REDIRECT_COUNT) > 0;
    const bool by_proxy = !context_.options.proxy.empty();
    if (by_proxy && !redirected) {  // prepare() has asked
        context_.guard.connected(request_.peer, host_of(request_.url));
        return true;
    }
    if (address.find(':') != std::string::npos) address = "[" + address + "]";
    if (by_proxy || address.empty())
        address = host_of(info<const char*>(easy_, CURLINFO_EFFECTIVE_URL));
    const Peer peer = redirected ? Peer::file : request_.peer;
    if (!context_.guard.admits_host(peer, address)) {
        refused_address_ = address;
        return false;
    }
    context_.guard.connected(peer, address);
    return true;
}

bool Transfer::trickles(std::int64_t downloaded) {
    const auto cause = watch_.look(std::chrono::steady_clock::now(), downloaded);
    if (cause && !failure_) failure_ = named({Fault::retry_later, *cause});
    return cause.has_value();
}

int Transfer::open_socket(const sockaddr& address, int type, int protocol) {
    if (context_.options.proxy.empty()) {
        const bool redirected = info<long>(easy_, CURLINFO_REDIRECT_COUNT) > 0;
        if (!context_.guard.admits(redirected ? Peer::file : request_.peer, address)) {
            refused_address_ = display_address(address);
            return CURL_SOCKET_BAD;
        }
    }
    refused_address_.clear();  // the last address tried tells why there is no connection
    const int fd = ::socket(address.sa_family, type | SOCK_CLOEXEC, protocol);
    // Bytes sent and never acknowledged: without this a dead multiplexed connection would be given
    // new transfers for a quarter of an hour, since curl keeps it when a transfer on it times out.
    const auto patience = static_cast<unsigned>(context_.options.timeout.count());
    if (fd >= 0) ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    return fd;
}

Outcome<Reply> Transfer::outcome(int code) {
    if (code == CURLE_OK && !head_received_ && !failure_) {
        // curl 7.88 takes a connection that is closed amid the headers for an empty body.
        if (!head_ended_) failure_ = named({Fault::retry_later, "ended early: in the headers"});
        if (head_ended_) guarded([this] { receive_head(); });
    }
    if (!failure_ && code == CURLE_OK && packed_ && !gunzip_.complete()) {
        failure_ = named({Fault::corrupt, "the body is only the beginning of a gzip"});
    }
    if (!failure_ && code != CURLE_OK) failure_ = named(broken_off(code));
    if (failure_) return std::move(*failure_);
    return std::move(reply_);
}

std::chrono::milliseconds Transfer::elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun_);
}

std::chrono::milliseconds Transfer::time_left(std::int64_t bytes_a_second) const {
    const double seconds = static_cast<double>(received_) / static_cast<double>(bytes_a_second);
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds)) -
           elapsed();
}

void Transfer::rest(Outcome<Reply> outcome) {
    rested_ = std::move(outcome);
    state = State::resting;
}

Failure Transfer::broken_off(int code) const {
    if (!refused_address_.empty()) {
        return {Fault::refused, fmt::format("{} is not a public address, and the master is on one",
                                            refused_address_)};
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL) {
        const std::string url = info<const char*>(easy_, CURLINFO_EFFECTIVE_URL);
        const bool allowed = is_https(url) || (is_http(url) && !is_https(request_.url));
        if (!allowed) {
            return {Fault::refused, (is_http(url) ? "redirected from https to http: "
                                                  : "redirected to neither http nor https: ") +
                                        display_url(url)};
        }
    }
    return curl_failure({.code = code,
                         .detail = error_.data(),
                         .os_error = code == CURLE_COULDNT_CONNECT
                                         ? static_cast<int>(info<long>(easy_, CURLINFO_OS_ERRNO))
                                         : 0,
                         .connected = info<curl_off_t>(easy_, CURLINFO_PRETRANSFER_TIME_T) > 0,
                         .elapsed = elapsed(),
                         .deadline = request_.deadline,
                         .timeout = context_.options.timeout});
}

Failure Transfer::named(Failure failure) const {
    failure.what = fmt::format("{} {}: {}", request_.post.empty() ? "GET" : "POST",
                               display_url(request_.url), failure.what);
    return failure;
}

Receiver Transfer::release() {
    curl_easy_reset(easy_);
    curl_slist_free_all(static_cast<curl_slist*>(std::exchange(headers_, nullptr)));
    request_ = {};
    reply_ = {};
    error_[0] = '\0';
    failure_.reset();
    rested_.reset();
    refused_address_.clear();
    abandoned_ = head_ended_ = head_received_ = rejected_ = packed_ = false;
    received_ = packed_bytes_ = header_bytes_ = 0;
    watch_ = SpeedWatch(context_.options.timeout);
    state = State::idle;
    return std::exchange(receiver_, {});
}

}  // namespace pep381d
