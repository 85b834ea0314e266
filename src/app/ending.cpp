#include "pep381d/app/ending.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "pep381d/pages/shown_text.h"

namespace pep381d {

int end_with(int status, std::string cause, const std::string& remedy) {
    constexpr std::size_t most = 150;
    const std::string head = fmt::format("pep381d: exit {}: ", status);
    const std::string tail = remedy.empty() ? "" : "; " + remedy;
    const std::size_t room = most - std::min(most, head.size() + tail.size());
    if (cause.size() > room) cause = cause.substr(0, room > 3 ? room - 3 : 0) + "...";
    // It may quote a stranger, such as a certificate, to a terminal.
    std::fprintf(stderr, "%s%s%s\n", head.c_str(), shown(cause).c_str(), tail.c_str());
    return status;
}

// The remedy is the last part of what was thrown: it must not be cut off.
int end_with(const Fatal& fatal) {
    const std::string what = fatal.what();
    const auto at = what.rfind("; ");
    if (at == std::string::npos) return end_with(fatal.exit_status(), what, "");
    return end_with(fatal.exit_status(), what.substr(0, at), what.substr(at + 2));
}

int end_of_pass(const PassResult& result, const Config& config, State& state) {
    if (!result.named_failure.empty())
        return end_with(1, result.named_failure, "see `pep381d status`");
    if (result.named && result.not_at_master.empty()) return 0;
    if (const auto held = state.held(); !result.named && held > 0)
        return end_with(4,
                        fmt::format("{}: {} deletions are held back as too many",
                                    config.mirror_directory, held),
                        "`pep381d allow-deletions` confirms them");
    if (result.poll) return end_with(3, result.poll->what, "nothing was deleted; try again");
    if (!result.not_at_master.empty())
        return end_with(1,
                        fmt::format("{}/simple/{}/: the master has no such project",
                                    display_url(config.master_url), result.not_at_master.front()),
                        "check its name");
    if (const auto failing = state.failing_projects(1); !failing.empty())
        return end_with(1,
                        fmt::format("{} not in sync: {}", state.pending(), failing.front().cause),
                        "see `pep381d status`");
    if (const auto pending = state.pending(); result.stopped || pending > 0)
        return end_with(1,
                        fmt::format("{}: {} projects were not reached",
                                    display_url(config.master_url), pending),
                        "the next pass goes on");
    return 0;
}

Log::Level level_of(const Config& config) {
    static constexpr const char* names[] = {"debug", "info", "warning", "error"};
    for (int i = 0; i < 4; ++i)
        if (config.log_level == names[i]) return static_cast<Log::Level>(i);
    return Log::Level::info;
}

}  // namespace pep381d
