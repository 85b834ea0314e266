// The root index in HTML (PEP 503).
#include <optional>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/base/text.h"
#include "pep381d/master/html_stream.h"
#include "pep381d/master/page_link.h"
#include "pep381d/model/project_name.h"

#include "master/list_reader.h"

namespace pep381d {

namespace {

// Enough to find it by.
std::string_view head_of(std::string_view text) {
    return text.substr(0, 100);
}

// Up to the last slash of the path.
std::string directory_of(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    return std::string(url.substr(0, url.rfind('/') + 1));
}

class RootHtml final : public NameList::Reader {
  public:
    RootHtml(const std::string& url, NameList::Entry entry)
        : root_(directory_of(display_url(url))),
          base_(root_),
          entry_(std::move(entry)),
          stream_({[this](HtmlElement& anchor) { take(anchor); },
                   [this](const HtmlElement& element) { take_base(element); },
                   [this](const HtmlElement& element) { take_meta(element); },
                   {},
                   {}}) {
        const auto authority = root_.find("://");
        const auto path = root_.find('/', authority == std::string::npos ? 0 : authority + 3);
        if (path != std::string::npos) path_ = root_.substr(path);
    }

    Done feed(std::string_view piece) override {
        if (Done fed = stream_.feed(piece); !fed) return named(fed.failure());
        return Nothing{};
    }

    Outcome<Serial> finish() override {
        if (Done whole = stream_.finish(); !whole) return named(whole.failure());
        if (wrong_) return *wrong_;
        return Serial{};
    }

  private:
    static Failure named(const Failure& failure) {
        return {failure.fault, "the root index cannot be read: " + failure.what};
    }

    void take_base(const HtmlElement& element) {
        const std::string* href = element.attribute("href");
        auto link = PageLink::relative_to(root_);
        if (href == nullptr || based_ || !link) return;
        based_ = true;
        auto resolved = link->resolve(trim(*href));
        if (resolved)
            base_ = directory_of(resolved.value());
        else
            wrong_ =
                named({Fault::corrupt, fmt::format("its <base href> {}: {}", quoted(head_of(*href)),
                                                   resolved.failure().what)});
    }

    void take_meta(const HtmlElement& element) {
        const std::string* name = element.attribute("name");
        const std::string* content = element.attribute("content");
        if (name == nullptr || content == nullptr || *name != "pypi:repository-version") return;
        if (*content != "1" && !content->starts_with("1."))
            wrong_ =
                named({Fault::corrupt,
                       fmt::format("its repository-version is {}; only 1.x can be read (PEP 629)",
                                   quoted(head_of(*content)))});
    }

    // `./foo/` and `../simple/foo/` lead there too.
    std::string without_dots(std::string_view href) const {
        auto link = href.starts_with('.') ? PageLink::relative_to(base_) : std::nullopt;
        auto resolved = link ? link->resolve(href) : Failure{Fault::refused, {}};
        return resolved ? std::move(resolved).value() : std::string(href);
    }

    // The part of a link that is the project's, where it leads just below the root.
    std::string_view below_root(std::string_view href) const {
        href = href.substr(0, href.find_first_of("?#"));
        if (href.starts_with(root_))
            href.remove_prefix(root_.size());
        else if (!path_.empty() && href.starts_with(path_) && same_host())
            href.remove_prefix(path_.size());
        else if (base_ != root_ || href.starts_with('.') || href.starts_with('/') ||
                 href.find(':') != std::string_view::npos)
            return {};
        if (href.ends_with('/')) href.remove_suffix(1);
        return href.find('/') == std::string_view::npos ? href : std::string_view{};
    }

    bool same_host() const {
        return base_.starts_with(
            std::string_view(root_).substr(0, root_.size() - path_.size() + 1));
    }

    // The text is how the project writes itself, the link is what it is called (PEP 503); a text
    // that says something else is none of its names.
    void take(const HtmlElement& anchor) {
        const std::string* href = anchor.attribute("href");
        if (href == nullptr) return;
        const std::string plain = without_dots(trim(*href));
        const std::string_view linked = below_root(plain);
        if (linked.empty()) return;
        const std::string_view text = trim(anchor.text);
        const auto name = ProjectName::parse(linked);
        entry_(name && ProjectName::parse(text) == name ? text : linked, Serial{});
    }

    const std::string root_;  // URL, up to its last slash; links do not repeat a password in it
    std::string path_;        // of it
    std::string base_;        // likewise, of what links are relative to
    bool based_ = false;
    std::optional<Failure> wrong_;
    NameList::Entry entry_;
    HtmlStream stream_;
};

}  // namespace

std::unique_ptr<NameList::Reader> root_html_reader(const std::string& url, NameList::Entry entry) {
    return std::make_unique<RootHtml>(url, std::move(entry));
}

}  // namespace pep381d
