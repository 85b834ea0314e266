#include "pep381d/pages/status_page.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/base/units.h"
#include "pep381d/model/project_page.h"
#include "pep381d/pages/shown_text.h"

namespace pep381d {

namespace {

constexpr std::size_t rows_shown = 100;

constexpr const char* style = R"(
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8885; overflow-wrap: anywhere; }
th { font-weight: 600; } .facts th { width: 12rem; white-space: nowrap; }
.good, .warn { border-left: .3rem solid #2a8a4a; padding: .2rem .8rem; } .warn { border-color: #c77700; }
)";

std::string json_time(const std::optional<Time>& time) {
    return time ? fmt::format("\"{}\"", format_iso(*time)) : "null";
}

std::string json_text(std::string_view text) {
    return json_string(shown(text));
}
std::string json_text_or_null(std::string_view text) {
    return text.empty() ? "null" : json_text(text);
}

std::string html_time(const std::optional<Time>& time, std::string_view otherwise) {
    if (!time) return std::string(otherwise);
    const std::string iso = format_iso(*time);
    return fmt::format(R"(<time datetime="{}">{} {} UTC</time>)", iso, iso.substr(0, 10),
                       iso.substr(11, 8));
}

// 886000 is 886,000
std::string grouped(std::int64_t number) {
    std::string digits = std::to_string(number);
    const std::size_t first = digits.front() == '-' ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

// A link only to what cannot run a script.
std::string contact_html(const std::string& contact) {
    const std::string text = shown_html(contact);
    const bool url = contact.rfind("https://", 0) == 0 || contact.rfind("http://", 0) == 0;
    if (url) return fmt::format(R"(<a href="{0}">{0}</a>)", text);
    const bool mail = contact.find('@') != std::string::npos &&
                      contact.find_first_of(" :?&\"<>") == std::string::npos;
    if (mail) return fmt::format(R"(<a href="mailto:{0}">{0}</a>)", text);
    return text.empty() ? "none given" : text;
}

std::string fact(std::string_view name, std::string_view html) {
    return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", name, html);
}

std::string facts(const Status& status) {
    std::string rows;
    rows += fact("Master", shown_html(display_url(status.master)));
    rows += fact("Protocol", status.protocol.empty() ? "not known yet" : status.protocol);
    rows += fact("Pages", status.copied ? "the master's own, with its signatures" : "made here");
    rows += fact("Coverage", status.filtered ? "filtered: not all of the master" : "full");
    rows += fact("Serial", std::to_string(status.serial.value));
    rows += fact("Last poll", html_time(status.last_poll, "none yet"));
    rows += fact("Projects", grouped(status.projects));
    rows += fact("Files", fmt::format("{}, {}", grouped(status.files), display_size(status.bytes)));
    rows += fact("Waiting", fmt::format("{} projects, {} of them failing", grouped(status.pending),
                                        grouped(status.failed)));
    if (!status.last_error.empty()) rows += fact("Last error", shown_html(status.last_error));
    if (!status.key_error.empty())
        rows += fact("The master's key", "not believed: " + shown_html(status.key_error));
    rows += fact("Verified", html_time(status.verified, "not yet"));
    if (status.damages > 0)
        rows += fact("Damages", fmt::format("{}, the newest: {}", grouped(status.damages),
                                            shown_html(status.newest_damage)));
    rows += fact("Contact", contact_html(status.contact));
    rows += fact("Program", "pep381d " + shown_html(status.version));
    return "<table class=\"facts\">\n" + rows + "</table>\n";
}

std::string rest_of(std::size_t count) {
    if (count <= rows_shown) return {};
    return fmt::format("<p>And {} more, see <a href=\"status.json\">status.json</a>.</p>\n",
                       count - rows_shown);
}

std::string failing_table(const Status& status) {
    if (status.failing.empty()) return {};
    std::string html =
        "<h2>Projects that could not be synced</h2>\n<table>\n<tr><th>Project</th><th>Cause</th>"
        "<th>Tries</th><th>Next try</th></tr>\n";
    const std::size_t shown_rows = std::min(status.failing.size(), rows_shown);
    for (std::size_t i = 0; i < shown_rows; ++i) {
        const FailingProject& project = status.failing[i];
        html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                            shown_html(project.name), shown_html(project.cause), project.attempts,
                            html_time(project.next_try, "soon"));
    }
    return html + "</table>\n" + rest_of(status.failing.size());
}

std::string skipped_table(const Status& status) {
    if (status.skipped.empty()) return {};
    std::string html =
        "<h2>Left out</h2>\n<table>\n<tr><th>Name at the master</th><th>Cause</th></tr>\n";
    const std::size_t shown_rows = std::min(status.skipped.size(), rows_shown);
    for (std::size_t i = 0; i < shown_rows; ++i) {
        html += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", shown_html(status.skipped[i].name),
                            shown_html(status.skipped[i].cause));
    }
    return html + "</table>\n" + rest_of(status.skipped.size());
}

std::string paused(const Status& status) {
    if (status.shortage.empty()) return {};
    return fmt::format("<p class=\"warn\">Nothing is fetched until there is room: {}.</p>\n",
                       shown_html(status.shortage));
}

std::string summary(const Status& status) {
    if (!status.last_modified)
        return "<p class=\"warn\">The first pass over the master is not complete yet.</p>\n";
    const bool good = status.failed == 0 && status.last_error.empty();
    return fmt::format("<p class=\"{}\">Everything that the master had at {} is here{}.</p>\n",
                       good ? "good" : "warn", html_time(status.last_modified, ""),
                       status.failed == 0 ? "" : ", but for what is listed below");
}

}  // namespace

std::string status_html(const Status& status) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/>"
        "<meta name=\"viewport\" content=\"width=device-width\"/><title>Mirror of {0}</title>"
        "<style>{1}</style></head>\n<body>\n<h1>Mirror of {0}</h1>\n{2}{3}{4}{5}{6}"
        "<p>As of {7}. <a href=\"../simple/\">The index</a>, <a href=\"status.json\">this page as "
        "JSON</a>.</p>\n</body>\n</html>\n",
        shown_html(display_url(status.master)), style, paused(status), summary(status),
        facts(status), failing_table(status), skipped_table(status), html_time(status.as_of, ""));
}

std::string status_json(const Status& status) {
    std::string failing;
    for (const FailingProject& project : status.failing) {
        failing +=
            fmt::format(R"({}{{"name":{},"cause":{},"attempts":{},"next_try":{}}})",
                        failing.empty() ? "" : ",", json_text(project.name),
                        json_text(project.cause), project.attempts, json_time(project.next_try));
    }
    std::string skipped;
    for (const SkippedItem& item : status.skipped) {
        skipped += fmt::format(R"({}{{"name":{},"cause":{}}})", skipped.empty() ? "" : ",",
                               json_text(item.name), json_text(item.cause));
    }
    return fmt::format(
        R"({{"version":{},"master":{},"protocol":{},"pages":"{}","contact":{},"coverage":"{}","as_of":{},)"
        R"("serial":{},"last_modified":{},"projects":{},"files":{},"bytes":{},)"
        R"("pending":{},"failed":{},"failing":[{}],"skipped":[{}],"last_poll":{},"last_error":{},)"
        R"("key_error":{},"paused":{},"verified":{},"damages":{},"newest_damage":{},)"
        R"("reconcile":{{"at":{},"queued":{},"absent":{}}},)"
        R"("sweep":{{"began":{},"asked":{},"found":{},"last_whole":{},"last_found":{}}}}})"
        "\n",
        json_text(status.version), json_text(display_url(status.master)),
        json_text_or_null(status.protocol), status.copied ? "copy" : "regenerate",
        json_text_or_null(status.contact), status.filtered ? "filtered" : "full",
        json_time(status.as_of), status.serial.value, json_time(status.last_modified),
        status.projects, status.files, status.bytes, status.pending, status.failed, failing,
        skipped, json_time(status.last_poll), json_text_or_null(status.last_error),
        json_text_or_null(status.key_error), json_text_or_null(status.shortage),
        json_time(status.verified), status.damages, json_text_or_null(status.newest_damage),
        json_time(status.reconciled), status.reconcile_queued, status.reconcile_absent,
        json_time(status.sweep_began), status.sweep_asked, status.sweep_found,
        json_time(status.swept), status.swept_found);
}

std::string removal_json(const RemovalRecord& removal) {
    std::string files;
    for (const std::string& file : removal.files)
        files += (files.empty() ? "" : ",") + json_text(file);
    return fmt::format(
        R"({{"at":"{}","kind":"{}","project":{},"serial":{},"said_by":"{}","cause":{},"files":[{}]}})",
        format_iso(removal.at), name_of(removal.kind), json_text(removal.project),
        removal.serial.value > 0 ? std::to_string(removal.serial.value) : "null",
        said_by(removal.kind), json_text(removal.cause), files);
}

}  // namespace pep381d
