#include "pep381d/net/http_failure.h"

#include <cerrno>

#include <curl/curl.h>

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

TEST_CASE("a status tells what to do next") {
    struct Row {
        long status;
        bool resumed;
        Fault fault;
        const char* what;
    };
    const Row rows[] = {
        {404, false, Fault::gone, "HTTP 404 Not Found"},
        {410, false, Fault::gone, "HTTP 410 Gone"},
        {408, false, Fault::retry_later, "HTTP 408 Request Timeout"},
        {425, false, Fault::retry_later, "HTTP 425 Too Early"},
        {429, false, Fault::retry_later, "HTTP 429 Too Many Requests"},
        {500, false, Fault::retry_later, "HTTP 500 Internal Server Error"},
        {503, false, Fault::retry_later, "HTTP 503 Service Unavailable"},
        {520, false, Fault::retry_later, "HTTP 520"},
        {999, false, Fault::retry_later, "HTTP 999"},
        {400, false, Fault::refused, "HTTP 400 Bad Request"},
        {401, false, Fault::refused,
         "HTTP 401 Unauthorized: it wants a user name and password in the URL"},
        {403, false, Fault::refused, "HTTP 403 Forbidden"},
        {416, false, Fault::refused, "HTTP 416 Range Not Satisfiable"},
        {416, true, Fault::corrupt,
         "HTTP 416 Range Not Satisfiable: there is less of it than we have already"},
        {204, false, Fault::corrupt, "HTTP 204 No Content"},
        {206, false, Fault::corrupt, "HTTP 206 without a range asked for"},
        {302, false, Fault::corrupt, "HTTP 302 without a Location"},
        {304, false, Fault::corrupt, "HTTP 304 without an ETag sent"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status, row.resumed);
        const Failure failure = status_failure(row.status, row.resumed, 0s);
        CHECK(failure.fault == row.fault);
        CHECK(failure.what == row.what);
    }
}

TEST_CASE(
    "what the peer asks us to wait is at most a day, and counts only where trying again helps") {
    CHECK(status_failure(503, false, 120s).wait == 120s);
    CHECK(status_failure(429, false, 1'000'000s).wait == 24h);
    CHECK(status_failure(503, false, -5s).wait == 0s);
    CHECK(status_failure(404, false, 120s).wait == 0s);
}

TEST_CASE("an error of curl tells what to do next, in words") {
    struct Row {
        BrokenOff end;
        Fault fault;
        const char* what;
    };
    const Row rows[] = {
        {{.code = CURLE_COULDNT_CONNECT, .detail = "Failed to connect", .os_error = ECONNREFUSED},
         Fault::retry_later,
         "connection refused"},
        {{.code = CURLE_COULDNT_RESOLVE_HOST, .detail = "Could not resolve host: pypi.invalid"},
         Fault::retry_later,
         "could not resolve host: pypi.invalid (no such name, or DNS does not answer)"},
        {{.code = CURLE_OPERATION_TIMEDOUT, .timeout = 30s},
         Fault::retry_later,
         "no connection after 30s"},
        {{.code = CURLE_OPERATION_TIMEDOUT, .connected = true, .timeout = 30s},
         Fault::retry_later,
         "no byte for 30s"},
        {{.code = CURLE_OPERATION_TIMEDOUT,
          .connected = true,
          .elapsed = 60s,
          .deadline = 1min,
          .timeout = 30s},
         Fault::retry_later,
         "not done after 1min"},
        {{.code = CURLE_GOT_NOTHING}, Fault::retry_later, "closed without an answer"},
        {{.code = CURLE_RECV_ERROR, .detail = "Recv failure: Connection reset by peer"},
         Fault::retry_later,
         "recv failure: Connection reset by peer"},
        {{.code = CURLE_HTTP2_STREAM},
         Fault::retry_later,
         "stream error in the HTTP/2 framing layer"},
        {{.code = 4711}, Fault::retry_later, "unknown error"},
        {{.code = CURLE_PEER_FAILED_VERIFICATION,
          .detail = "SSL certificate problem: self-signed certificate"},
         Fault::refused,
         "TLS certificate problem: self-signed certificate (a CA of your own goes into "
         "master.ca-file)"},
        {{.code = CURLE_PEER_FAILED_VERIFICATION,
          .detail = "SSL certificate problem: certificate has expired"},
         Fault::refused,
         "TLS certificate problem: certificate has expired (if it is not, see to the clock here)"},
        {{.code = CURLE_PEER_FAILED_VERIFICATION,
          .detail = "SSL: no alternative certificate subject name matches target host name 'x'"},
         Fault::refused,
         "TLS certificate problem: no alternative certificate subject name matches target host "
         "name 'x'"},
        {{.code = CURLE_TOO_MANY_REDIRECTS}, Fault::refused, "too many redirects"},
        {{.code = CURLE_URL_MALFORMAT},
         Fault::refused,
         "malformed URL: URL using bad/illegal format or missing URL"},
        {{.code = CURLE_BAD_CONTENT_ENCODING},
         Fault::corrupt,
         "the body does not decode: unrecognized or bad HTTP Content or Transfer-Encoding"},
        {{.code = CURLE_OUT_OF_MEMORY}, Fault::corrupt, "headers too long"},
        {{.code = CURLE_FAILED_INIT}, Fault::local, "curl cannot do it: failed initialization"},
        {{.code = CURLE_SSL_CACERT_BADFILE, .detail = "error setting certificate file: /x"},
         Fault::local,
         "cannot use the CA certificates, see master.ca-file: error setting certificate file: /x"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.end.code);
        const Failure failure = curl_failure(row.end);
        CHECK(failure.fault == row.fault);
        CHECK(failure.what == row.what);
        CHECK(failure.wait == 0s);
    }
}
