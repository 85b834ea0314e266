#include "pep381d/master/page_html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/base/text.h"
#include "pep381d/master/html_stream.h"
#include "pep381d/master/page_link.h"

namespace pep381d {

namespace {

constexpr std::size_t most_files = 250'000;
constexpr std::size_t most_links = 500'000;  // those that are passed by included
constexpr std::size_t most_skipped = 100;    // that are told one by one

constexpr std::array<std::string_view, 16> suffixes{
    ".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.z", ".tbz",
    ".tar", ".egg",    ".exe", ".msi",     ".rpm", ".deb",    ".dmg",   ".tar.lzma"};

Failure corrupt(std::string what) {
    return Failure{Fault::corrupt, std::move(what)};
}

std::string lower(std::string_view text) {
    std::string small(text);
    for (char& c : small)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return small;
}

bool is_distribution(std::string_view name) {
    const std::string small = lower(name);
    return std::any_of(suffixes.begin(), suffixes.end(),
                       [&](std::string_view suffix) { return small.ends_with(suffix); });
}

// The last part of a URL's path, percent escapes decoded.
std::string last_segment(std::string_view url) {
    url = url.substr(0, url.find('?'));
    const std::string_view name = url.substr(url.rfind('/') + 1);
    std::string text;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto byte = name[i] == '%' ? from_hex(name.substr(i + 1, 2)) : std::nullopt;
        text += byte && !byte->empty() ? *byte : std::string(1, name[i]);
        if (byte && !byte->empty()) i += 2;
    }
    return text;
}

std::string_view origin_of(std::string_view url) {
    const auto authority = url.find("://");
    if (authority == std::string_view::npos) return {};
    return url.substr(0, url.find_first_of("/?#", authority + 3));
}

// `md5=...`, or several divided by `&` (PEP 503 knows one). What is wrong with them, else null.
const char* read_digests(std::string_view fragment, std::vector<Digest>& digests) {
    constexpr std::size_t shortest_digest = 32;
    bool unknown = false;
    while (!fragment.empty()) {
        const std::string_view part = fragment.substr(0, fragment.find('&'));
        fragment.remove_prefix(std::min(part.size() + 1, fragment.size()));
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) continue;
        const auto algorithm = algorithm_named(part.substr(0, equals));
        const std::string_view hex = part.substr(equals + 1);
        if (!algorithm) {
            unknown = unknown || (hex.size() >= shortest_digest && from_hex(hex));
            continue;
        }
        const auto bytes = digest_from_hex(hex, digest_size(*algorithm));
        if (!bytes) return "a hash has not its length";
        digests.push_back({*algorithm, *bytes});
    }
    if (unknown && digests.empty()) return "none of its hashes can be checked here";
    std::sort(digests.begin(), digests.end(),
              [](const Digest& a, const Digest& b) { return a.algorithm > b.algorithm; });
    return nullptr;
}

// PEP 714: the new name wins where both are there.
CoreMetadata core_metadata_of(const HtmlElement& anchor) {
    constexpr std::string_view sha256 = "sha256=";
    const std::string* value = anchor.attribute("data-core-metadata");
    if (value == nullptr) value = anchor.attribute("data-dist-info-metadata");
    if (value == nullptr) return {};
    if (*value == "true") return {true, {}};
    if (!value->starts_with(sha256)) return {};
    const auto bytes = digest_from_hex(std::string_view(*value).substr(sha256.size()),
                                       digest_size(Algorithm::sha256));
    // A hash that cannot be checked offers nothing: clients then read the wheel itself.
    if (!bytes) return {};
    return {true, *bytes};
}

void take_attributes(const HtmlElement& anchor, File& file) {
    if (const auto* python = anchor.attribute("data-requires-python");
        python != nullptr && !python->empty())
        file.requires_python = *python;
    if (const auto* reason = anchor.attribute("data-yanked")) {
        file.yanked = true;
        file.yanked_reason = *reason;
    }
    file.core_metadata = core_metadata_of(anchor);
    if (const auto* url = anchor.attribute("data-provenance");
        url != nullptr && (url->starts_with("https://") || url->starts_with("http://")))
        file.provenance = *url;
    const auto* signature = anchor.attribute("data-gpg-sig");
    if (signature == nullptr || (*signature != "true" && *signature != "false")) return;
    append_usual_members(file.members, file);
    file.members += ",\"gpg-sig\":" + *signature;  // its name in JSON (PEP 691)
}

// rel is a list of words; these two lead away from the index (PEP 438).
bool is_external(const HtmlElement& anchor) {
    const std::string* rel = anchor.attribute("rel");
    if (rel == nullptr) return false;
    const std::string small = lower(*rel);
    const auto all = words(small);
    return std::find(all.begin(), all.end(), "homepage") != all.end() ||
           std::find(all.begin(), all.end(), "download") != all.end();
}

// PyPI has written `Links for NAME` since 2005, and those who write like it do.
std::optional<std::string_view> name_in_heading(std::string_view text) {
    constexpr std::string_view words_before = "links for ";
    const auto at = lower(text).find(words_before);
    if (at == std::string::npos) return std::nullopt;
    return trim(text.substr(at + words_before.size()));
}

bool is_of_another(std::string_view said, const ProjectName& expected) {
    const auto name = ProjectName::parse(said);
    return name && *name != expected;
}

class PageReader {
  public:
    PageReader(std::string base, const ProjectName& expected)
        : base_(std::move(base)), read_{ProjectPage{expected, {}, {}, {}, {}, {}}, {}} {}

    Outcome<ReadPage> read(std::string_view html);

  private:
    void meta(const HtmlElement& element);
    void heading(std::string_view text);
    void comment(std::string_view text);
    std::optional<Failure> wrong() const;
    Outcome<PageLink> links_from(PageLink& page) const;
    void add_files(PageLink& link);
    void add_file(const HtmlElement& anchor, PageLink& link);
    Outcome<File> file_of(const HtmlElement& anchor, std::string url, std::string_view fragment);
    void skip(std::string_view name, std::string cause);

    std::string base_;
    ReadPage read_;
    std::optional<std::string> base_href_;
    std::string version_;
    std::string other_;      // the project that the page says to be of, where that is another
    bool is_index_ = false;  // it says so itself
    bool too_many_ = false;
    std::vector<HtmlElement> anchors_;
    std::map<std::string, std::size_t> places_;  // of the files in the page, by name
    std::size_t more_skipped_ = 0;
};

void PageReader::meta(const HtmlElement& element) {
    const std::string* name = element.attribute("name");
    const std::string* content = element.attribute("content");
    if (name == nullptr || content == nullptr) return;
    if (*name == "pypi:repository-version") {
        version_ = *content;
        is_index_ = true;
    }
    if (*name == "pypi:project-status") read_.page.status.status = *content;
    if (*name == "pypi:project-status-reason") read_.page.status.reason = *content;
}

void PageReader::heading(std::string_view text) {
    const auto said = name_in_heading(text);
    if (!said) return;
    is_index_ = true;
    if (is_of_another(*said, read_.page.name)) other_ = *said;
}

void PageReader::comment(std::string_view text) {
    constexpr std::string_view word = "SERIAL ";
    text = trim(text);
    if (!text.starts_with(word)) return;
    std::int64_t serial = 0;
    const auto [end, error] =
        std::from_chars(text.data() + word.size(), text.data() + text.size(), serial);
    if (error == std::errc{} && end == text.data() + text.size() && serial > 0)
        read_.page.serial = Serial{serial};
}

std::optional<Failure> PageReader::wrong() const {
    if (too_many_) return corrupt("it has more than 500,000 links");
    if (!other_.empty())
        return corrupt(
            fmt::format("it is the page of {}, not of {}", quoted(other_), read_.page.name.text()));
    if (!version_.empty() && version_ != "1" && !version_.starts_with("1."))
        return corrupt(fmt::format("its repository-version is {}; only 1.x can be read (PEP 629)",
                                   quoted(version_)));
    return std::nullopt;
}

void PageReader::skip(std::string_view name, std::string cause) {
    if (read_.skipped.size() < most_skipped)
        read_.skipped.push_back({std::string(name.substr(0, 1000)), std::move(cause)});
    else
        ++more_skipped_;
}

Outcome<File> PageReader::file_of(const HtmlElement& anchor, std::string url,
                                  std::string_view fragment) {
    auto name = FileName::parse(last_segment(url));
    if (!name) return corrupt("the file name is missing or not legal");
    File file{
        std::move(*name), std::move(url), {}, {}, {}, {}, false, {}, {}, {}, {}, {}, false, false};
    if (const char* cause = read_digests(fragment, file.digests)) return corrupt(cause);
    if (file.digests.empty() && origin_of(file.url) != origin_of(base_))
        return corrupt(fmt::format("it lies at {}, another host than its page, without a digest",
                                   origin_of(file.url)));
    take_attributes(anchor, file);
    return file;
}

void PageReader::add_file(const HtmlElement& anchor, PageLink& link) {
    const std::string* href = anchor.attribute("href");
    if (href == nullptr || is_external(anchor)) return;
    const std::string_view whole = trim(*href);
    const auto hash = whole.find('#');
    const std::string_view to = whole.substr(0, hash);
    const std::string_view fragment =
        hash == std::string_view::npos ? std::string_view{} : whole.substr(hash + 1);
    std::vector<Digest> digests;
    const bool proven = read_digests(fragment, digests) == nullptr && !digests.empty();
    const std::string name = last_segment(to);
    if (!proven && !is_distribution(name)) return;
    Outcome<std::string> url = link.resolve(to);
    if (!url) {
        skip(name, std::move(url).failure().what);
        return;
    }
    Outcome<File> file = file_of(anchor, std::move(url).value(), fragment);
    if (!file) {
        skip(name, std::move(file).failure().what);
        return;
    }
    const auto [place, fresh] = places_.emplace(file.value().name.text(), read_.page.files.size());
    if (fresh)
        read_.page.files.push_back(std::move(file).value());
    else if (read_.page.files[place->second] != file.value())
        skip(name, "the page names the file twice");
}

// What its links are relative to.
Outcome<PageLink> PageReader::links_from(PageLink& page) const {
    if (!base_href_) return std::move(page);
    auto resolved = page.resolve(*base_href_);
    auto link = resolved ? PageLink::relative_to(resolved.value()) : std::nullopt;
    if (link) return std::move(*link);
    return corrupt(fmt::format("its <base href> {}: {}", quoted(*base_href_),
                               resolved ? "it is no http(s) URL" : resolved.failure().what));
}

void PageReader::add_files(PageLink& link) {
    for (const HtmlElement& anchor : anchors_) add_file(anchor, link);
    if (more_skipped_ > 0)
        read_.skipped.push_back(
            {"", fmt::format("{} more entries cannot be mirrored", more_skipped_)});
}

Outcome<ReadPage> PageReader::read(std::string_view html) {
    auto link = PageLink::relative_to(base_);
    if (!link) return corrupt("this is no http(s) URL");
    HtmlStream stream({[this](HtmlElement& anchor) {
                           too_many_ = too_many_ || anchors_.size() >= most_links;
                           if (!too_many_) anchors_.push_back(std::move(anchor));
                       },
                       [this](const HtmlElement& element) {
                           const std::string* href = element.attribute("href");
                           if (href != nullptr && !base_href_) base_href_ = trim(*href);
                       },
                       [this](const HtmlElement& element) { meta(element); },
                       [this](std::string_view text) { heading(text); },
                       [this](std::string_view text) { comment(text); }});
    if (Done fed = stream.feed(html); !fed) return std::move(fed).failure();
    if (Done whole = stream.finish(); !whole) return std::move(whole).failure();
    if (auto failure = wrong()) return std::move(*failure);

    auto links = links_from(*link);
    if (!links) return std::move(links).failure();
    add_files(links.value());
    ProjectPage& page = read_.page;
    if (page.files.size() > most_files) return corrupt("it has more than 250,000 files");
    if (page.files.empty() && read_.skipped.empty() && !is_index_)
        return corrupt("it links to no file and does not say that it is a page of an index");
    page.meta_members = R"("api-version":"1.0")";
    if (page.status.status.empty()) {
        page.status.reason.clear();
    } else {
        page.members = R"("project-status":{"status":)" + json_string(page.status.status);
        if (!page.status.reason.empty())
            page.members += R"(,"reason":)" + json_string(page.status.reason);
        page.members += '}';
    }
    return std::move(read_);
}

}  // namespace

Outcome<ReadPage> read_page_html(std::string_view html, const std::string& base,
                                 const ProjectName& expected) {
    auto read = PageReader(base, expected).read(html);
    if (!read)
        return corrupt(
            fmt::format("the page {} cannot be read: {}", display_url(base), read.failure().what));
    return read;
}

std::optional<std::string> other_project(std::string_view html, const ProjectName& expected) {
    std::optional<std::string> other;
    HtmlStream stream({{},
                       {},
                       {},
                       [&](std::string_view text) {
                           const auto said = name_in_heading(text);
                           if (said && is_of_another(*said, expected)) other = *said;
                       },
                       {}});
    if (stream.feed(html)) (void)stream.finish();
    return other;
}

}  // namespace pep381d
