#include "pep381d/duties/page_signature.h"

#include <utility>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/base/signing_keys.h"
#include "pep381d/master/page_html.h"
#include "pep381d/model/project_name.h"

namespace pep381d {

namespace {

constexpr std::string_view above_page = "/simple/";
constexpr std::int64_t page_most = 256 << 20;
constexpr std::int64_t key_most = 64 << 10;  // of a signature too, or of a page in its place

struct Fetched {
    Reply reply;
    std::string body;
};

// The bytes as they are served, without any encoding.
Outcome<Fetched> fetch(Transport& transport, const std::string& url, const char* accept,
                       std::int64_t most_bytes) {
    Request request;
    request.url = url;
    request.accept = accept;
    request.encoding = Encoding::raw;
    request.https_only = url.starts_with("https:");
    request.most_bytes = most_bytes;
    request.deadline = std::chrono::minutes(10);
    std::string body;
    std::optional<Outcome<Reply>> end;
    Receiver receiver;
    receiver.on_head = [](const Reply&) -> Done { return Nothing{}; };
    receiver.on_body = [&](std::string_view bytes) -> Done {
        body += bytes;
        return Nothing{};
    };
    receiver.on_end = [&](Outcome<Reply> reply) { end.emplace(std::move(reply)); };
    transport.start(std::move(request), std::move(receiver));
    while (!end) transport.wait(std::chrono::seconds(1), -1);
    if (!*end) return end->failure();
    return Fetched{end->value(), std::move(body)};
}

std::string without_slash(std::string url) {
    if (url.ends_with('/')) url.pop_back();
    return url;
}

// An old master redirects from a name in another spelling to the page (HTML), not to its signature.
Outcome<std::string> fetch_signature(Transport& transport, const PageAddress& page, KeyKind kind) {
    const std::string url = fmt::format("{}/serversig/{}{}", page.base, page.name,
                                        kind == KeyKind::dsa ? "" : ed25519_suffix);
    auto fetched = fetch(transport, url, "", key_most);
    if (!fetched) return std::move(fetched).failure();
    const Reply& reply = fetched.value().reply;
    if (without_slash(reply.url) != url)
        return Failure{Fault::corrupt, fmt::format("{}: it redirects to {}, which is no signature",
                                                   display_url(url), display_url(reply.url))};
    if (!looks_like_signature(kind, fetched.value().body))
        return Failure{
            Fault::corrupt,
            fmt::format("{}: no {} signature came, but {} bytes of {}", display_url(url),
                        name_of(kind), fetched.value().body.size(),
                        reply.content_type.empty() ? "no type" : quoted(reply.content_type))};
    return std::move(fetched).value().body;
}

Outcome<PublicKey> fetch_key(Transport& transport, const std::string& base, KeyKind kind) {
    const std::string url =
        fmt::format("{}/serverkey{}", base, kind == KeyKind::dsa ? "" : ed25519_suffix);
    auto fetched = fetch(transport, url, "", key_most);
    if (!fetched) return std::move(fetched).failure();
    auto key = PublicKey::parse(fetched.value().body);
    if (!key)
        return Failure{Fault::corrupt, fmt::format("{}: {}", display_url(url), key.failure().what)};
    if (key.value().kind() != kind)
        return Failure{Fault::corrupt, fmt::format("{}: it is a key for {}", display_url(url),
                                                   name_of(key.value().kind()))};
    return key;
}

Outcome<std::vector<KeyKind>> verify_once(Transport& transport, const PageAddress& page,
                                          const std::vector<PublicKey>& keys) {
    const std::string url = fmt::format("{}/simple/{}/", page.base, page.name);
    const auto html = fetch(transport, url, "text/html", page_most);
    if (!html) return html.failure();
    // It may have led to another spelling of the name, and there its signature is.
    const auto shown = page_address(html.value().reply.url);
    if (!shown)
        return Failure{Fault::corrupt,
                       fmt::format("{}: it redirects to {}, which is no page of a project",
                                   display_url(url), display_url(html.value().reply.url))};
    std::vector<KeyKind> good;
    for (const PublicKey& key : keys) {
        const auto signature = fetch_signature(transport, *shown, key.kind());
        if (!signature) return signature.failure();
        if (!key.verifies(html.value().body, signature.value()))
            return Failure{Fault::corrupt,
                           fmt::format("{}: its {} signature is not one of this page by this key",
                                       display_url(url), name_of(key.kind()))};
        good.push_back(key.kind());
    }
    // A mirror could show the page of another project, and that one's signature: only the page
    // itself says whose it is.
    if (const auto other = other_project(html.value().body, ProjectName::parse(page.name).value()))
        return Failure{Fault::corrupt, fmt::format("{}: it is the page of {}, not of {}",
                                                   display_url(url), quoted(*other), page.name)};
    return good;
}

}  // namespace

std::optional<PageAddress> page_address(std::string_view url) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) return std::nullopt;
    if (url.ends_with('/')) url.remove_suffix(1);
    const auto slash = url.rfind('/');
    const std::string_view name = url.substr(slash + 1), above = url.substr(0, slash + 1);
    if (!above.ends_with(above_page) || !ProjectName::parse(name)) return std::nullopt;
    return PageAddress{std::string(above.substr(0, above.size() - above_page.size())),
                       std::string(name)};
}

Outcome<std::vector<PublicKey>> keys_of_mirror(Transport& transport, const PageAddress& page) {
    std::vector<PublicKey> keys;
    for (const KeyKind kind : {KeyKind::dsa, KeyKind::ed25519}) {
        auto key = fetch_key(transport, page.base, kind);
        if (key)
            keys.push_back(std::move(key).value());
        else if (kind == KeyKind::dsa || key.failure().fault != Fault::gone)
            return std::move(key).failure();
    }
    return keys;
}

Outcome<std::vector<KeyKind>> verify_page(Transport& transport, const PageAddress& page,
                                          const std::vector<PublicKey>& keys) {
    auto good = verify_once(transport, page, keys);
    if (good || good.failure().fault != Fault::corrupt) return good;
    return verify_once(transport, page, keys);
}

}  // namespace pep381d
