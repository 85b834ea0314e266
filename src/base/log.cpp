#include "pep381d/base/log.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "pep381d/base/clock.h"

namespace pep381d {

void StderrLog::write(Level level, std::string_view line) {
    if (level < least_) return;
    static const bool journald = std::getenv("JOURNAL_STREAM") != nullptr;
    static constexpr const char* names[] = {"debug", "info", "warning", "error"};
    const char* name = names[static_cast<int>(level)];
    // One fwrite a line: lines of two threads never mix.
    const std::string text = journald ? fmt::format("{} {}\n", name, line)
                                      : fmt::format("{} {} {}\n", format_iso(SystemClock().now()), name, line);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 300;
    const bool cut = text.size() > longest;
    if (cut) text = text.substr(0, longest);
    bool plain = !text.empty();
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            escaped += fmt::format("\\x{:02x}", byte);
            plain = false;
        } else if (c == '"' || c == '\\') {
            escaped += '\\';
            escaped += c;
            plain = false;
        } else {
            escaped += c;
            if (c == ' ') plain = false;
        }
    }
    if (cut) escaped += "...";
    return plain ? escaped : '"' + escaped + '"';
}

std::string display_url(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    const auto host = scheme + 3;
    const auto path = url.find_first_of("/?#", host);
    const auto at = url.substr(0, path).rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(url);
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

}  // namespace pep381d
