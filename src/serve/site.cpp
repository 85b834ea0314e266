#include "pep381d/serve/site.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "pep381d/base/outcome.h"
#include "pep381d/serve/negotiation.h"
#include "pep381d/serve/range.h"
#include "pep381d/serve/request_path.h"
#include "pep381d/serve/served_file.h"
#include "pep381d/serve/words.h"

namespace pep381d {

namespace {

using Kind = Resource::Kind;

// As PyPI has them: pages may be ten minutes old, files never change.
constexpr const char* page_cache = "max-age=600, public";
constexpr const char* package_cache = "max-age=365000000, immutable, public";
constexpr const char* status_cache = "max-age=60, public";

struct Presentation {
    const char* type;
    const char* cache;
};

Presentation presentation_of(Kind kind) {
    switch (kind) {
        case Kind::small_text:
            return {"text/plain", status_cache};
        case Kind::legacy_json:
            return {"application/json", page_cache};
        case Kind::status_html:
            return {"text/html; charset=utf-8", status_cache};
        case Kind::status_json:
            return {"application/json", status_cache};
        case Kind::package:
            return {"application/octet-stream", package_cache};
        default:
            return {"application/octet-stream", page_cache};
    }
}

// RFC 9110 5.6.7; the C locale's names, whatever the locale.
std::string http_date(std::time_t time) {
    static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    gmtime_r(&time, &t);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       days[static_cast<std::size_t>(t.tm_wday)], t.tm_mday,
                       months[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour,
                       t.tm_min, t.tm_sec);
}

// The weak comparison (RFC 9110 8.8.3.2): a proxy that compresses may have weakened our tag. Our
// tags hold no comma.
bool matches(std::string_view if_none_match, std::string_view tag) {
    while (!if_none_match.empty()) {
        std::string_view candidate = next_word(if_none_match, ',');
        if (candidate.substr(0, 2) == "W/") candidate.remove_prefix(2);
        if (candidate == tag || candidate == "*") return true;
    }
    return false;
}

struct Validators {
    std::string tag;
    std::string modified;
};

Validators add_validators(SiteReply& reply, const ServedFile& file, std::optional<Serial> serial,
                          std::string_view variant) {
    Validators validators{entity_tag(file, serial, variant), http_date(file.modified.tv_sec)};
    reply.add("ETag", validators.tag);
    reply.add("Last-Modified", validators.modified);
    return validators;
}

void add_cross_origin(SiteReply& reply) {
    reply.add("Access-Control-Allow-Origin", "*");
    reply.add("Access-Control-Expose-Headers", "X-PyPI-Last-Serial");
}

// A small file goes out in one piece with its headers: PEP 381's mirror library reads but once, and
// it saves a system call for most pages.
constexpr std::uint64_t small = 4096;  // bytes

void send_whole(SiteReply& reply, ServedFile file) {
    reply.length = file.size;
    if (file.size <= small) {
        reply.body.resize(file.size);
        const ssize_t n = ::pread(file.descriptor.get(), reply.body.data(), file.size, 0);
        if (n == static_cast<ssize_t>(file.size)) return;
    }
    reply.descriptor = std::move(file.descriptor);
}

// Without a body, but with the length that the whole would have (RFC 9110 8.6): the server leaves
// the body out.
SiteReply not_modified(SiteReply reply, ServedFile file) {
    reply.status = 304;
    send_whole(reply, std::move(file));
    return reply;
}

// A range is of GET alone (RFC 9110 14.2), and only of the file that the client began with.
Slice wanted(const SiteRequest& request, const Validators& validators, std::uint64_t size) {
    const Slice whole{Slice::Kind::whole, 0, size};
    if (request.head || !request.range) return whole;
    if (request.if_range) {
        const std::string_view condition = trimmed(*request.if_range);
        if (condition != validators.tag && condition != validators.modified) return whole;
    }
    return slice_of(*request.range, size);
}

SiteReply package(const SiteRequest& request, ServedFile file, SiteReply reply,
                  const Validators& validators) {
    reply.add("Accept-Ranges", "bytes");
    const Slice slice = wanted(request, validators, file.size);
    if (slice.kind == Slice::Kind::whole) {
        send_whole(reply, std::move(file));
        return reply;
    }
    if (slice.kind == Slice::Kind::unsatisfiable) {
        SiteReply refusal = text_reply(416, "The file is shorter than that range");
        refusal.add("Content-Range", fmt::format("bytes */{}", file.size));
        return refusal;
    }
    reply.status = 206;
    reply.add("Content-Range", fmt::format("bytes {}-{}/{}", slice.offset,
                                           slice.offset + slice.length - 1, file.size));
    reply.descriptor = std::move(file.descriptor);
    reply.offset = slice.offset;
    reply.length = slice.length;
    return reply;
}

bool unchanged(const SiteRequest& request, Kind kind, const Validators& validators) {
    if (request.if_none_match) return matches(*request.if_none_match, validators.tag);
    // Whole seconds cannot tell two rewrites of a page apart; a package is never rewritten.
    return kind == Kind::package && request.if_modified_since &&
           trimmed(*request.if_modified_since) == validators.modified;
}

SiteReply file_reply(const SiteRequest& request, Kind kind, ServedFile file) {
    const Presentation presentation = presentation_of(kind);
    SiteReply reply;
    const Validators validators = add_validators(reply, file, std::nullopt, "");
    reply.add("Cache-Control", presentation.cache);
    add_cross_origin(reply);
    if (unchanged(request, kind, validators))
        return not_modified(std::move(reply), std::move(file));
    reply.add("Content-Type", presentation.type);
    if (kind == Kind::package)
        return package(request, std::move(file), std::move(reply), validators);
    send_whole(reply, std::move(file));
    return reply;
}

SiteReply page_reply(const SiteRequest& request, Representation representation, ServedFile file) {
    const auto serial = serial_in(file);
    constexpr std::array variants = {"-j", "-v", "-h"};
    SiteReply reply;
    const Validators validators =
        add_validators(reply, file, serial, variants[static_cast<std::size_t>(representation)]);
    reply.add("Vary", "Accept");
    reply.add("Cache-Control", page_cache);
    add_cross_origin(reply);
    if (serial) reply.add("X-PyPI-Last-Serial", fmt::to_string(serial->value));
    if (unchanged(request, Kind::page, validators))
        return not_modified(std::move(reply), std::move(file));
    reply.add("Content-Type", std::string(content_type(representation)));
    send_whole(reply, std::move(file));
    return reply;
}

SiteReply local_failure(Log& log, const std::string& path) {
    const int error = errno;
    log.debug(
        fmt::format("request-failed path={} cause={}", quoted(path), quoted(std::strerror(error))));
    // What is here but cannot be had now: the client may come again soon (a long wait would hold up
    // pip).
    SiteReply reply = text_reply(error == EMFILE || error == ENFILE || error == ENOMEM ? 503 : 500,
                                 "This mirror cannot read the file");
    if (reply.status == 503) reply.add("Retry-After", "1");
    return reply;
}

SiteReply not_found() {
    return text_reply(404, "Not found");
}

SiteReply page(int root, Log& log, const SiteRequest& request, const Resource& resource) {
    for (const Representation representation : acceptable(request.accept, resource.query)) {
        const std::string path = fmt::format("{}/{}", resource.path, file_of(representation));
        ServedFile file;
        switch (open_served(root, path, file)) {
            case OpenFault::none:
                return page_reply(request, representation, std::move(file));
            case OpenFault::local:
                return local_failure(log, path);
            case OpenFault::absent:
                break;
        }
    }
    ServedFile other;
    for (const Representation representation : {Representation::json, Representation::html}) {
        const std::string path = fmt::format("{}/{}", resource.path, file_of(representation));
        if (open_served(root, path, other) != OpenFault::none) continue;
        SiteReply reply = text_reply(406,
                                     "Not acceptable; this index has "
                                     "application/vnd.pypi.simple.v1+json and text/html");
        reply.add("Vary", "Accept");
        return reply;
    }
    return not_found();
}

SiteReply redirect(unsigned int status, std::string location) {
    SiteReply reply = text_reply(status, "See " + location);
    add_cross_origin(reply);
    reply.add("Location", std::move(location));
    return reply;
}

SiteReply home(int root) {
    ServedFile status;
    const bool has_status = open_served(root, "status/index.html", status) == OpenFault::none;
    return redirect(302, has_status ? "status/" : "simple/");
}

}  // namespace

SiteReply text_reply(unsigned int status, std::string_view text) {
    SiteReply reply;
    reply.status = status;
    reply.add("Content-Type", "text/plain; charset=utf-8");
    reply.body = text;
    reply.body += '\n';
    return reply;
}

Site::Site(const std::string& root, Log& log)
    : root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), log_(log) {
    if (root_) return;
    throw Fatal(5, fmt::format("{}: {}; check mirror.directory", root, std::strerror(errno)));
}

SiteReply Site::answer(const SiteRequest& request) const {
    const Resource resource = resource_of(request.target);
    switch (resource.kind) {
        case Kind::none:
            return not_found();
        case Kind::bad:
            return text_reply(400, "Bad request: the target is not a path");
        case Kind::redirect:
            return redirect(301, resource.location);
        case Kind::home:
            return home(root_.get());
        case Kind::page:
            return page(root_.get(), log_, request, resource);
        default:
            break;
    }
    ServedFile file;
    switch (open_served(root_.get(), resource.path, file)) {
        case OpenFault::none:
            return file_reply(request, resource.kind, std::move(file));
        case OpenFault::local:
            return local_failure(log_, resource.path);
        case OpenFault::absent:
            break;
    }
    return not_found();
}

}  // namespace pep381d
