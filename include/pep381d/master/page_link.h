// Resolves the links of a page that the master sent. A value: one per page, one thread at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"

namespace pep381d {

class PageLink {
  public:
    // `base`: the URL that the page came from; its user name and password are not handed on.
    // Nothing where it is no http(s) URL.
    static std::optional<PageLink> relative_to(const std::string& base);
    ~PageLink();
    PageLink(PageLink&&) noexcept;

    // Absolute, http(s), printable ASCII of at most 4096 bytes, without a fragment, no user name,
    // dots resolved. Fails with Fault::refused.
    Outcome<std::string> resolve(std::string_view link);

  private:
    struct Url;
    explicit PageLink(std::string text);
    bool parse();
    std::optional<std::string> resolve_plain(std::string_view link) const;
    void note_above(std::string_view link, std::string_view resolved);

    std::string text_;                  // of the page's own URL
    std::string parent_;                // of that, where it is the page of a project; else empty
    std::unique_ptr<Url> base_;         // the same, parsed when it is first needed
    std::array<std::string, 2> above_;  // what `../../` and `/` led to, once that is known
};

}  // namespace pep381d
