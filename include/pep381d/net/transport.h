// HTTP transfers, many at once, on the loop's thread. An interface because tests need a network
// that hangs and lies.
//
// A transport does what it is told, once: which transfers run when, and what is tried again, is
// decided above it. Thread rule: all calls on one thread, but wake(). Callbacks run inside wait(),
// never inside start().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"
#include "pep381d/model/serial.h"

namespace pep381d {

enum class Peer {
    master,     // the configured index: any address
    alternate,  // a file at a host that the configuration names: any address
    file,  // a URL out of a page: private and loopback addresses only where the master itself is on
           // one
};

// How the body may be encoded in transit.
enum class Encoding {
    gzip,      // offer gzip and hand on decoded bytes
    identity,  // ask for identity; for a master's other cache entry (protocol C.4)
    raw,       // ask for identity and never decode: the bytes of a file are what is hashed
};

struct Request {
    Peer peer = Peer::master;
    std::string url;
    std::string accept;  // media type; empty: anything
    std::string etag;    // If-None-Match where not empty
    std::string post;    // where not empty: POST it as text/xml
    Encoding encoding = Encoding::gzip;
    bool https_only =
        false;  // the page that named this URL came by https: never by http, redirects included
    bool redirect_is_gone = false;  // no redirect is followed: it says that there is no such thing
    std::int64_t first_byte = 0;    // Range: bytes=N-
    std::int64_t most_bytes =
        0;  // more body bytes (decoded) than that end the transfer: Fault::corrupt
    std::chrono::milliseconds deadline{0};  // for the whole transfer
};

// What stands above the body. Only for answers that are no failure: 200, 206 (asked for), 304
// (asked for).
struct Reply {
    long status = 0;
    std::string url;  // the final one, after redirects
    std::string content_type;
    std::string etag;                            // empty where there is none, or a very long one
    std::optional<Serial> last_serial;           // X-PyPI-Last-Serial
    std::optional<std::int64_t> content_length;  // as announced, undecoded
    // `url` is not what was asked for. Texts do not tell: curl writes some URLs in another way.
    bool redirected = false;
};

struct Receiver {
    // Called before the first byte of the body (also where there is none). A failure ends the
    // transfer with it.
    std::function<Done(const Reply&)> on_head;
    // Called for each piece of the body of an answer that on_head accepted. A failure ends the
    // transfer with it.
    std::function<Done(std::string_view)> on_body;
    // Called once, last, whatever happened. The failure names URL, cause and, for HTTP errors, the
    // status:
    //   gone         404, 410
    //   retry_later  no connection, time-outs, broken transfers, 408, 425, 429, 5xx (wait =
    //   Retry-After, at most a day) refused      forbidden address or scheme, too many redirects,
    //   TLS certificate not valid, other 4xx corrupt      too many bytes, an encoding that does not
    //   decode, 206 that is not what was asked for
    std::function<void(Outcome<Reply>)> on_end;
};

class Transport {
  public:
    virtual ~Transport() = default;
    virtual void start(Request request, Receiver receiver) = 0;
    // Runs transfers and their callbacks; returns after something happened, at the latest after
    // `most`, or when wake() was called or `also` (a descriptor, -1: none) became readable.
    virtual void wait(std::chrono::milliseconds most, int also) = 0;
    // Ends all transfers without a callback.
    virtual void cancel_all() = 0;
    // Ends the current or next wait() at once. Any thread.
    virtual void wake() = 0;
};

}  // namespace pep381d
