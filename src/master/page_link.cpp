#include "pep381d/master/page_link.h"

#include <algorithm>
#include <array>
#include <new>

#include <curl/curl.h>
#include <fmt/format.h>

#include "pep381d/base/byte_set.h"

namespace pep381d {

namespace {

constexpr std::size_t longest = 4096;  // bytes; no proxy between here and the master need take more

// Of the relative links that indexes write: `../../packages/...` and `/packages/...`.
constexpr std::array<std::string_view, 2> starts{"../../", "/"};

Failure refused(std::string_view cause) {
    return Failure{Fault::refused, fmt::format("the URL {}", cause)};
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
// The characters that a URL's path keeps whatever is done to it.
constexpr ByteSet plain = ByteSet(alphanumeric).add("/-._+~");
constexpr ByteSet not_plain = plain.complement();

bool is_plain(std::string_view text) {
    return not_plain.find_in(text) == text.size();
}

// Scheme, authority and the slash behind them of the newest link in which curl left these as they
// were: nearly all files of a master share them. That depends on no page, so all may use it.
std::string& known_origin() {
    thread_local std::string origin;
    return origin;
}

// True where curl would give the link itself, since it did so for another path at this origin.
bool is_absolute_and_plain(std::string_view link) {
    const std::string& origin = known_origin();
    if (origin.empty() || !link.starts_with(origin)) return false;
    const std::string_view path = link.substr(origin.size() - 1);
    return is_plain(path) && path.find("/.") == std::string_view::npos;
}

void note_origin(std::string_view link, std::string_view resolved) {
    const auto authority = link.find("://");
    if (authority == std::string_view::npos) return;
    const auto slash = link.find('/', authority + 3);
    if (slash == std::string_view::npos) return;
    const std::string_view host = link.substr(authority + 3, slash - authority - 3);
    const std::string_view origin = link.substr(0, slash + 1);
    const bool usual =
        std::all_of(host.begin(), host.end(), [](char c) { return c == ':' || plain.has(c); });
    if (usual && resolved.starts_with(origin)) known_origin() = origin;
}

// The URL of a page `.../simple/NAME/` without its last segment; empty where it has another shape.
std::string parent_of_page(std::string_view base) {
    if (!base.ends_with('/')) return {};
    const std::string_view page = base.substr(0, base.size() - 1);
    const auto slash = page.rfind('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == page.size()) return {};
    const std::string_view name = page.substr(slash + 1);
    if (!is_plain(name) || name.starts_with('.') || page[slash - 1] == '/') return {};
    return std::string(page.substr(0, slash + 1));
}

// What the starts led to from the newest page in which curl was asked: from its siblings they lead
// to the same.
struct Siblings {
    std::string parent;
    std::array<std::string, starts.size()> above;
};
Siblings& siblings() {
    thread_local Siblings known;
    return known;
}

bool is_printable_ascii(char c) {
    return c > 0x20 && c < 0x7f;
}

}  // namespace

struct PageLink::Url {
    CURLU* handle;
    explicit Url(CURLU* fresh) : handle(fresh) {
        if (handle == nullptr) throw std::bad_alloc();
    }
    Url(const Url&) = delete;
    Url& operator=(const Url&) = delete;
    ~Url() { curl_url_cleanup(handle); }

    std::string part(CURLUPart what) const {
        char* text = nullptr;
        if (curl_url_get(handle, what, &text, 0) != CURLUE_OK) return {};
        const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
        return text;
    }
    bool is_http() const {
        const std::string scheme = part(CURLUPART_SCHEME);
        return scheme == "http" || scheme == "https";
    }
};

PageLink::PageLink(std::string text) : text_(std::move(text)), parent_(parent_of_page(text_)) {}
PageLink::~PageLink() = default;
PageLink::PageLink(PageLink&&) noexcept = default;

std::optional<PageLink> PageLink::relative_to(const std::string& base) {
    PageLink link(base);
    if (!link.parent_.empty() && link.parent_ == siblings().parent)
        link.above_ = siblings().above;
    else if (!link.parse())
        return std::nullopt;
    return link;
}

bool PageLink::parse() {
    auto url = std::make_unique<Url>(curl_url());
    if (curl_url_set(url->handle, CURLUPART_URL, text_.c_str(), 0) != CURLUE_OK || !url->is_http())
        return false;
    curl_url_set(url->handle, CURLUPART_USER, nullptr, 0);
    curl_url_set(url->handle, CURLUPART_PASSWORD, nullptr, 0);
    base_ = std::move(url);
    return true;
}

// What curl would give for a plain path behind one of the starts, since it did so for another link
// of this page.
std::optional<std::string> PageLink::resolve_plain(std::string_view link) const {
    for (std::size_t i = 0; i < starts.size(); ++i) {
        if (above_[i].empty() || !link.starts_with(starts[i])) continue;
        const std::string_view path = link.substr(starts[i].size());
        const bool sure = !path.empty() && path[0] != '.' && path[0] != '/' && is_plain(path) &&
                          path.find("/.") == std::string_view::npos &&
                          above_[i].size() + path.size() <= longest;
        if (sure) return above_[i] + std::string(path);
    }
    return std::nullopt;
}

void PageLink::note_above(std::string_view link, std::string_view resolved) {
    for (std::size_t i = 0; i < starts.size(); ++i) {
        if (!link.starts_with(starts[i])) continue;
        const std::string_view path = link.substr(starts[i].size());
        if (!path.empty() && path[0] != '/' && is_plain(path) &&
            path.find("..") == std::string_view::npos &&
            resolved.ends_with("/" + std::string(path)))
            above_[i] = resolved.substr(0, resolved.size() - path.size());
    }
    siblings() = {parent_, above_};
}

Outcome<std::string> PageLink::resolve(std::string_view link) {
    if (link.empty()) return refused("is empty");
    if (link.size() > longest) return refused("is longer than 4096 bytes");
    if (is_absolute_and_plain(link)) return std::string(link);
    if (auto resolved = resolve_plain(link)) return std::move(*resolved);
    if (std::any_of(link.begin(), link.end(), is_control))
        return refused("has control characters in it");
    if (!base_ && !parse()) return refused("stands on a page without one");
    const Url url(curl_url_dup(base_->handle));
    constexpr unsigned int flags = CURLU_DISALLOW_USER | CURLU_URLENCODE | CURLU_ALLOW_SPACE;
    const CURLUcode code =
        curl_url_set(url.handle, CURLUPART_URL, std::string(link).c_str(), flags);
    if (code == CURLUE_USER_NOT_ALLOWED) return refused("has a user name in it");
    if (code == CURLUE_UNSUPPORTED_SCHEME) return refused("is not http or https");
    if (code != CURLUE_OK) return refused(fmt::format("is malformed: {}", curl_url_strerror(code)));
    if (!url.is_http()) return refused("is not http or https");
    curl_url_set(url.handle, CURLUPART_FRAGMENT, nullptr, 0);
    std::string text = url.part(CURLUPART_URL);
    if (text.empty() || text.size() > longest) return refused("is longer than 4096 bytes");
    if (!std::all_of(text.begin(), text.end(), is_printable_ascii))
        return refused("has a host name that is not ASCII");
    note_origin(link, text);
    note_above(link, text);
    return text;
}

}  // namespace pep381d
