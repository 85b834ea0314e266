// The first half of a transfer: a request as curl's options, and the callbacks that lead back.
#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

#include "pep381d/net/transfer.h"

namespace pep381d {
namespace {

// curl's own limit since 8.3, and of patched older ones.
constexpr std::int64_t most_header_bytes = 300 * 1024;
constexpr long most_redirects = 5;
// Measured with files of 1 GiB over loopback: 16 KiB costs up to twice the CPU, more than 64 KiB
// saves nothing, and with TLS it costs.
constexpr long buffer_size = 64 * 1024;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy, option, value);
    if (code == CURLE_OK) return;
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    // A protection that curl does not know must not go missing without a word.
    throw std::runtime_error(fmt::format("libcurl {}, option {}: {}", LIBCURL_VERSION,
                                         static_cast<int>(option), curl_easy_strerror(code)));
}

long whole_seconds(std::chrono::milliseconds time) {
    return static_cast<long>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

// What curl calls. Nothing is thrown through it.
struct Transfer::Callbacks {
    static std::size_t body(char* bytes, std::size_t, std::size_t size, void* transfer) {
        return static_cast<Transfer*>(transfer)->receive_body({bytes, size}) ? size : 0;
    }

    static std::size_t header(char* bytes, std::size_t, std::size_t size, void* transfer) {
        auto& self = *static_cast<Transfer*>(transfer);
        const std::string_view line(bytes, size);
        if (line.starts_with("HTTP/")) self.head_ended_ = false;
        if (line == "\r\n" || line == "\n") self.head_ended_ = true;
        self.header_bytes_ += static_cast<std::int64_t>(size);
        if (self.header_bytes_ <= most_header_bytes) return size;
        self.failure_ = self.named({Fault::corrupt, "endless headers"});
        return 0;
    }

    // Sees what the other callbacks do not: the body of a redirect, which curl reads to keep the
    // connection.
    static int progress(void* transfer, curl_off_t, curl_off_t downloaded, curl_off_t, curl_off_t) {
        auto& self = *static_cast<Transfer*>(transfer);
        if (self.abandoned_ || self.trickles(downloaded)) return 1;
        if (self.head_received_ || downloaded <= most_unwanted_bytes) return 0;
        self.failure_ = self.named({Fault::corrupt, "an endless answer in front of the answer"});
        return 1;
    }

    static curl_socket_t open_socket(void* transfer, curlsocktype, curl_sockaddr* address) {
        return static_cast<Transfer*>(transfer)->open_socket(address->addr, address->socktype,
                                                             address->protocol);
    }

    // Before a request goes out, redirected ones included.
    // NOLINTNEXTLINE(readability-non-const-parameter): it is curl's type
    static int before_request(void* transfer, char* address, char*, int, int) {
        return static_cast<Transfer*>(transfer)->admits_request(address) ? CURL_PREREQFUNC_OK
                                                                         : CURL_PREREQFUNC_ABORT;
    }
};

Done Transfer::prepare() {
    begun_ = std::chrono::steady_clock::now();
    if (Done good = check_url(); !good) return named(std::move(good).failure());
    set_shared_options();
    set_request_options();
    set_headers();
    return Nothing{};
}

Done Transfer::check_url() {
    if (!is_https(request_.url) && !is_http(request_.url)) {
        return Failure{Fault::refused, "not an http or https URL"};
    }
    if (request_.https_only && !is_https(request_.url)) {
        return Failure{Fault::refused, "http, from a page that came by https"};
    }
    if (curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str()) != CURLE_OK) {
        return Failure{Fault::refused, "malformed URL"};
    }
    if (context_.options.proxy.empty()) return Nothing{};
    const std::string host = host_of(request_.url);
    if (context_.guard.admits_host(request_.peer, host)) return Nothing{};
    refused_address_ = host;
    return broken_off(CURLE_COULDNT_CONNECT);
}

void Transfer::set_shared_options() {
    const TransportOptions& options = context_.options;
    set(easy_, CURLOPT_PRIVATE, static_cast<void*>(this));
    set(easy_, CURLOPT_ERRORBUFFER, error_.data());
    set(easy_, CURLOPT_NOSIGNAL, 1L);
    set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy_, CURLOPT_USERAGENT, options.user_agent.c_str());
    // Empty: none, whatever the environment says.
    set(easy_, CURLOPT_PROXY, options.proxy.c_str());
    set(easy_, CURLOPT_NOPROXY, "");
    set(easy_, CURLOPT_IPRESOLVE,
        long{options.ip_version == IpVersion::v4   ? CURL_IPRESOLVE_V4
             : options.ip_version == IpVersion::v6 ? CURL_IPRESOLVE_V6
                                                   : CURL_IPRESOLVE_WHATEVER});
    if (!options.ca_file.empty()) {
        set(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
        set(easy_, CURLOPT_CAPATH,
            static_cast<char*>(nullptr));  // the file alone decides, however curl was built
    }

    set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.timeout.count()));
    // Silence; what is a little more than that is speed_watch.h's to tell, which this wakes every
    // second.
    set(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy_, CURLOPT_LOW_SPEED_TIME, whole_seconds(options.timeout));

    set(easy_, CURLOPT_FOLLOWLOCATION, request_.redirect_is_gone ? 0L : 1L);
    set(easy_, CURLOPT_MAXREDIRS, most_redirects);
    set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");

    set(easy_, CURLOPT_WRITEFUNCTION, &Callbacks::body);
    set(easy_, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(easy_, CURLOPT_HEADERFUNCTION, &Callbacks::header);
    set(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy_, CURLOPT_NOPROGRESS, 0L);
    set(easy_, CURLOPT_XFERINFOFUNCTION, &Callbacks::progress);
    set(easy_, CURLOPT_XFERINFODATA, static_cast<void*>(this));
    set(easy_, CURLOPT_OPENSOCKETFUNCTION, &Callbacks::open_socket);
    set(easy_, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(easy_, CURLOPT_PREREQFUNCTION, &Callbacks::before_request);
    set(easy_, CURLOPT_PREREQDATA, static_cast<void*>(this));
}

void Transfer::set_request_options() {
    const bool https = is_https(request_.url);
    // With a rate limit files go by HTTP/1.1: where all streams of an HTTP/2 connection are slowed
    // down, curl 7.88 turns in circles at full CPU.
    const bool slowed = is_file() && context_.options.file_rate > 0;
    set(easy_, CURLOPT_HTTP_VERSION, long{slowed ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS});
    // Without https there is nothing to multiplex on, and a first connection that hangs would hold
    // up all.
    set(easy_, CURLOPT_PIPEWAIT, https ? 1L : 0L);
    set(easy_, CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
    set(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.deadline.count()));
    // With a rate limit curl takes a buffer at once and then waits: with a small share a large
    // buffer is many seconds of silence. Unchecked: curl 7.88 refuses it while it still holds the
    // buffer of a request that failed before it was sent.
    const long buffer = slowed ? static_cast<long>(std::clamp<std::int64_t>(
                                     context_.options.file_rate / 64, 1024, buffer_size))
                               : buffer_size;
    curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, buffer);
    if (request_.first_byte > 0)
        set(easy_, CURLOPT_RANGE, fmt::format("{}-", request_.first_byte).c_str());
    if (!request_.post.empty()) {
        set(easy_, CURLOPT_POSTFIELDS, request_.post.data());
        set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.post.size()));
        set(easy_, CURLOPT_POSTREDIR, long{CURL_REDIR_POST_301 | CURL_REDIR_POST_302});
    }
}

void Transfer::set_headers() {
    curl_slist* list = nullptr;
    const auto add = [&list](const std::string& line) {
        // A line break in a value would begin a header of the peer's choice.
        if (line.find_first_of("\r\n") != std::string::npos) return;
        curl_slist* longer = curl_slist_append(list, line.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        list = longer;
    };
    if (!request_.accept.empty()) add("Accept: " + request_.accept);
    if (!request_.etag.empty()) add("If-None-Match: " + request_.etag);
    // By hand, and decoded by hand: see gunzip.h.
    add(request_.encoding == Encoding::gzip ? "Accept-Encoding: gzip"
                                            : "Accept-Encoding: identity");
    if (!request_.post.empty()) {
        add("Content-Type: text/xml");  // exactly: the old index compares it as a whole
        add("Expect:");
    }
    headers_ = list;
    if (list != nullptr) set(easy_, CURLOPT_HTTPHEADER, list);
}

void Transfer::limit_rate(std::int64_t bytes_a_second) {
    set(easy_, CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(bytes_a_second));
    // A pause that we make ourselves is no silence of the peer's.
    set(easy_, CURLOPT_LOW_SPEED_LIMIT, bytes_a_second < SpeedWatch::least_share ? 0L : 1L);
    watch_.limit(bytes_a_second);
}

}  // namespace pep381d
