#include "pep381d/master/page_copy.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pep381d/base/digest.h"
#include "pep381d/base/log.h"
#include "pep381d/base/text.h"
#include "pep381d/master/html_stream.h"
#include "pep381d/master/page_link.h"
#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

constexpr std::string_view packages = "packages/";

// The tree as a browser would see it, below a directory: a link from the root of the host leaves
// it, as it would leave a mirror that is not at the root of its host, or a page on a disk. No page
// can name the directory, since that is its own digest.
std::string tree_of(std::string_view html) {
    return "http://mirror.invalid/" + to_hex(sha256(html)) + "/";
}

Failure corrupt(std::string what) {
    return Failure{Fault::corrupt, std::move(what)};
}

// Nothing where it is no escaped path.
std::optional<std::string> unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        if (text[i] == '%' && (!byte || byte->size() != 1)) return std::nullopt;
        plain += byte ? *byte : std::string(1, text[i]);
        if (byte) i += 2;
    }
    return plain;
}

// A reader may end the comment with this text where another reads on to the `-->` behind it:
// browsers end one at once that begins with `>` or `->`, and at `--!>`; older Pythons at `-- >`.
// What stands between is a link for one, and nothing for the other.
bool may_end_early(std::string_view comment) {
    if (comment.starts_with('>') || comment.starts_with("->")) return true;
    for (auto dashes = comment.find("--"); dashes != std::string_view::npos;) {
        const auto after = comment.find_first_not_of(" \t\r\n\f\v!-", dashes);
        if (after == std::string_view::npos) return false;
        if (comment[after] == '>') return true;
        dashes = comment.find("--", after);
    }
    return false;
}

// All readers end its comments in the same place.
bool has_plain_comments(std::string_view html) {
    for (;;) {
        const auto begin = html.find("<!--");
        if (begin == std::string_view::npos) return true;
        html.remove_prefix(begin + 4);
        const auto end = html.find("-->");
        if (may_end_early(html.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        html.remove_prefix(end + 3);
    }
}

class CopyReader {
  public:
    CopyReader(std::string tree, PageLink link) : tree_(std::move(tree)), link_(std::move(link)) {}

    Outcome<std::vector<CopiedLink>> read(std::string_view html) {
        HtmlStream stream({[this](HtmlElement& anchor) { add(anchor); },
                           [this](const HtmlElement& base) {
                               if (base.attribute("href")) wrong("it has a <base href>");
                           },
                           [](const HtmlElement&) {}, [](std::string_view) {},
                           [](std::string_view) {}});
        if (!has_plain_comments(html))
            wrong(
                "it has a comment that ends in one place for one reader and elsewhere for another");
        if (Done fed = stream.feed(html); !fed) return std::move(fed).failure();
        if (Done whole = stream.finish(); !whole) return std::move(whole).failure();
        if (!wrong_.empty()) return corrupt(wrong_);
        return std::move(links_);
    }

  private:
    void wrong(std::string cause) {
        if (wrong_.empty()) wrong_ = std::move(cause);
    }

    void add(const HtmlElement& anchor) {
        if (anchor.repeated) wrong("a link of it has an attribute twice");
        const std::string* href = anchor.attribute("href");
        if (href == nullptr) return;
        const std::string_view whole = trim(*href);
        const auto hash = whole.find('#');
        const std::string_view to = whole.substr(0, hash);
        const auto url = link_.resolve(to);
        if (!url || !url.value().starts_with(tree_)) return;
        const std::string_view below = std::string_view(url.value()).substr(tree_.size());
        if (!below.starts_with(packages)) return;
        auto path = unescaped(below);
        // Two slashes are one for curl and Python, and not for uv and browsers.
        if (!path || !legal_file_path(*path) || to.find("//") != std::string_view::npos) {
            wrong(fmt::format("its link {} can be no file of a mirror", quoted(whole)));
            return;
        }
        CopiedLink link{std::move(*path), {}, false, {}};
        if (hash != std::string_view::npos) link.digest = parse_digest(whole.substr(hash + 1));
        add_metadata(anchor, link);
        links_.push_back(std::move(link));
    }

    // Whoever reads either attribute asks for it.
    static void add_metadata(const HtmlElement& anchor, CopiedLink& link) {
        for (const char* name : {"data-core-metadata", "data-dist-info-metadata"}) {
            const std::string* value = anchor.attribute(name);
            if (value == nullptr || *value == "false") continue;
            link.metadata = true;
            if (*value == "true") continue;
            const auto digest = parse_digest(*value);
            const bool sha256 = digest && digest->algorithm == Algorithm::sha256;
            const bool same =
                sha256 && (link.metadata_sha256.empty() || link.metadata_sha256 == digest->bytes);
            if (!same)
                link.metadata_unclear = true;
            else
                link.metadata_sha256 = digest->bytes;
        }
    }

    const std::string tree_;
    PageLink link_;
    std::vector<CopiedLink> links_;
    std::string wrong_;
};

// Its .metadata is the one that is mirrored, if it offers any.
bool has_metadata_of(const CopiedLink& link, const File& file) {
    if (!link.metadata) return true;
    return file.core_metadata.offered && !link.metadata_unclear &&
           (link.metadata_sha256.empty() || link.metadata_sha256 == file.core_metadata.sha256);
}

}  // namespace

Outcome<std::vector<CopiedLink>> links_of_copy(std::string_view html, const ProjectName& name) {
    std::string tree = tree_of(html);
    auto link = PageLink::relative_to(fmt::format("{}simple/{}/", tree, name.text()));
    if (!link) return corrupt("its own URL cannot be read");
    return CopyReader(std::move(tree), std::move(*link)).read(html);
}

std::optional<std::string> not_copyable(std::string_view html, const ProjectPage& page) {
    auto links = links_of_copy(html, page.name);
    if (!links) return links.failure().what;
    std::multimap<std::string_view, const CopiedLink*> by_path;
    for (const CopiedLink& link : links.value()) by_path.emplace(link.path, &link);
    for (const File& file : page.files) {
        const auto [first, last] = by_path.equal_range(file.path);
        if (first == last)
            return fmt::format("its link to {} does not lead to ../../{}, where a mirror has it",
                               quoted(file.name.text()), file.path);
        if (!std::all_of(first, last,
                         [&](const auto& one) { return has_metadata_of(*one.second, file); }))
            return fmt::format("it offers metadata of {} that cannot be checked here",
                               quoted(file.name.text()));
        by_path.erase(first, last);
    }
    if (by_path.empty()) return std::nullopt;
    return fmt::format("it links to {}, which is no file that is mirrored",
                       quoted(by_path.begin()->first));
}

}  // namespace pep381d
