#include "pep381d/base/log.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "pep381d/base/clock.h"
#include "pep381d/base/text.h"

namespace pep381d {

void StderrLog::write(Level level, std::string_view line) {
    if (level < least_) return;
    static const bool journald = std::getenv("JOURNAL_STREAM") != nullptr;
    static constexpr const char* names[] = {"debug", "info", "warning", "error"};
    const char* name = names[static_cast<int>(level)];
    // One fwrite a line: lines of two threads never mix.
    const std::string text =
        journald ? fmt::format("{} {}\n", name, line)
                 : fmt::format("{} {} {}\n", format_iso(SystemClock().now()), name, line);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 300;
    bool plain = !text.empty();
    std::string escaped;
    std::size_t i = 0;
    while (i < text.size() && i < longest) {
        const std::size_t length = shown_length(text.substr(i));
        if (length == 0) {
            escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
            plain = false;
            ++i;
            continue;
        }
        if (text[i] == '"' || text[i] == '\\') escaped += '\\';
        if (text[i] == '"' || text[i] == '\\' || text[i] == ' ') plain = false;
        escaped += text.substr(i, length);
        i += length;
    }
    if (i < text.size()) escaped += "...";
    return plain ? escaped : '"' + escaped + '"';
}

std::string display_url(std::string_view url) {
    constexpr std::string_view scheme_characters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";
    // A proxy may come without a scheme; and curl takes one slash or three for two.
    const auto colon = std::min(url.find_first_not_of(scheme_characters), url.size());
    const bool scheme = url.substr(colon).starts_with(":/");
    const auto host = std::min(url.find_first_not_of('/', scheme ? colon + 1 : 0), url.size());
    const auto path = url.find_first_of("/?#", host);
    const auto at = url.substr(0, path).rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(url);
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

}  // namespace pep381d
