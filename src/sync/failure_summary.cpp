#include "pep381d/sync/failure_summary.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pep381d/base/log.h"

namespace pep381d {

namespace {

constexpr std::size_t causes_most = 3;

// Causes begin with what they are about: `GET https://pypi.org/simple/foo/: HTTP 503`.
std::string without_address(const std::string& cause) {
    const auto address = cause.find("://");
    const auto end = cause.find(": ", address == std::string::npos ? cause.size() : address);
    return end == std::string::npos ? cause : cause.substr(end + 2);
}

struct Kind {
    std::string cause;
    std::int64_t projects = 0;
    std::string example;
};

}  // namespace

std::string failure_summary(const std::vector<FailingProject>& failing, std::int64_t count) {
    std::map<std::string, Kind> by_cause;
    std::optional<Time> next;
    for (const FailingProject& project : failing) {
        const Time due = project.next_try.value_or(Time{});
        next = std::min(next.value_or(due), due);
        const std::string cause = without_address(project.cause);
        Kind& kind = by_cause[cause];
        if (++kind.projects > 1) continue;
        kind.cause = cause;
        kind.example = project.cause;
    }
    std::vector<Kind> kinds;
    for (auto& [cause, kind] : by_cause) kinds.push_back(std::move(kind));
    std::stable_sort(kinds.begin(), kinds.end(),
                     [](const Kind& a, const Kind& b) { return a.projects > b.projects; });

    std::string line = fmt::format("not_in_sync projects={} next_try={}", count,
                                   next && *next != Time{} ? format_iso(*next) : "now");
    for (std::size_t i = 0; i < std::min(kinds.size(), causes_most); ++i)
        line += fmt::format(" cause={} of={} example={}", quoted(kinds[i].cause), kinds[i].projects,
                            quoted(kinds[i].example));
    return line;
}

}  // namespace pep381d
