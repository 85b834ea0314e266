#include "pep381d/app/status_text.h"

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/base/units.h"

namespace pep381d {

namespace {

std::string moment(const std::optional<Time>& time, Time now) {
    if (!time) return "never";
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *time);
    return fmt::format("{} ({} ago)", format_iso(*time),
                       format_duration(std::max(age, std::chrono::seconds(0))));
}

}  // namespace

std::string status_text(const Status& status) {
    std::string text;
    const auto line = [&](const char* name, const std::string& value) {
        text += fmt::format("{:<14} {}\n", name, value);
    };
    line("master", display_url(status.master));
    line("protocol", status.protocol.empty() ? "not known yet" : status.protocol);
    line("pages", status.copied ? "copied from the master" : "made here");
    line("coverage", status.filtered ? "filtered" : "full");
    line("serial", std::to_string(status.serial.value));
    line("last modified", moment(status.last_modified, status.as_of));
    line("last poll", moment(status.last_poll, status.as_of));
    line("verified", moment(status.verified, status.as_of));
    line("reconciled", fmt::format("{}{}", moment(status.reconciled, status.as_of),
                                   status.reconciled ? fmt::format(", {} queued, {} absent",
                                                                   status.reconcile_queued,
                                                                   status.reconcile_absent)
                                                     : ""));
    if (status.sweep_began)
        line("sweep",
             fmt::format("{} of {} pages asked since {}, {} changed", status.sweep_asked,
                         status.projects, format_iso(*status.sweep_began), status.sweep_found));
    line("swept", fmt::format("{}{}", moment(status.swept, status.as_of),
                              status.swept ? fmt::format(", {} changed", status.swept_found) : ""));
    if (status.damages > 0)
        line("damages",
             fmt::format("{}, the newest: {}", status.damages, quoted(status.newest_damage)));
    if (!status.last_error.empty()) line("last error", quoted(status.last_error));
    if (!status.key_error.empty()) line("key error", quoted(status.key_error));
    if (!status.shortage.empty()) line("paused", quoted(status.shortage));
    line("projects", std::to_string(status.projects));
    line("files", fmt::format("{} ({})", status.files, display_size(status.bytes)));
    line("pending", std::to_string(status.pending));
    line("failed", std::to_string(status.failed));
    for (const FailingProject& project : status.failing)
        text += fmt::format("  {}: {} (tried {} times{})\n", project.name, quoted(project.cause),
                            project.attempts,
                            project.next_try ? ", next " + format_iso(*project.next_try) : "");
    if (status.failed > static_cast<std::int64_t>(status.failing.size()))
        text += "  ... see --json for all\n";
    for (const SkippedItem& item : status.skipped)
        text += fmt::format("  left out: {}: {}\n", quoted(item.name), quoted(item.cause));
    return text;
}

std::string removal_text(const RemovalRecord& removal) {
    const std::string serial =
        removal.serial.value > 0 ? fmt::format(" (serial {})", removal.serial.value) : "";
    std::string text =
        fmt::format("{} {} {}{}, said by {}: {}\n", format_iso(removal.at), name_of(removal.kind),
                    removal.project, serial, said_by(removal.kind), quoted(removal.cause));
    for (const std::string& file : removal.files) text += fmt::format("  {}\n", quoted(file));
    return text;
}

}  // namespace pep381d
