#include "support/sample/legacy.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <pugixml.hpp>

#include "support/sample/text.h"
#include "support/sample/version.h"
#include "support/sample/xmlrpc.h"

namespace sample {
namespace {

std::string values(const std::string& items) {
    return "<value><array><data>\n" + items + "</data></array></value>";
}

// `time > since`, as the server's own SQL had it.
std::string changelog(const Index& index, std::int64_t since, bool stale) {
    std::string rows;
    for (const auto& row : index.journal()) {
        if (row.time <= since || row.serial > index.told_serial(stale)) continue;
        rows += "<value><array><data>" + of_string(row.name) +
                (row.version ? of_string(*row.version) : "<value><nil/></value>") +
                of_int(row.time) + of_string(row.action) + "</data></array></value>\n";
    }
    return answer(values(rows));
}

std::string package_list(const Index& index, bool stale) {
    std::string names;
    for (const auto& entry : index.list(true, stale)) names += of_string(entry.display) + "\n";
    return answer(values(names));
}

}  // namespace

std::string legacy_path(const Project& project, const Blob& blob) {
    return "/packages/" + std::string(blob.is_wheel() ? "py3" : "source") + "/" +
           project.display.substr(0, 1) + "/" + project.display + "/" + blob.filename();
}

std::shared_ptr<const Blob> legacy_blob(const Index& index, std::string_view path) {
    const auto parts = split(std::string{path}, '/');
    if (parts.size() != 6) return nullptr;
    const auto blob = index.blob_named(parts[5]);
    const Project* project = index.find(normalized(parts[4]));
    return blob && project && legacy_path(*project, *blob) == path ? blob : nullptr;
}

std::string legacy_project_html(const Project& project) {
    const auto title = "Links for " + project.display;
    std::string page =
        "<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1>";
    auto releases = project.releases;
    std::sort(releases.begin(), releases.end(), [](const Release& a, const Release& b) {
        return version_less(a.version, b.version);
    });
    for (const auto& release : releases) {
        if (project.status == Status::quarantined || release.quarantined) continue;
        for (const auto& file : release.files) {
            page += "<a href=\"../.." + legacy_path(project, *file.blob) +
                    "#md5=" + file.blob->digests().md5 + "\"";
            if (!file.requires_python.empty())
                page += " data-requires-python=\"" + html_escaped(file.requires_python) + "\"";
            page += ">" + file.blob->filename() + "</a><br/>\n";
        }
        page += "<a href=\"http://home.example/" + project.display + "\" rel=\"homepage\">" +
                html_escaped(release.version) + " home_page</a><br/>\n";
    }
    return page + "</body></html>\n";
}

std::string legacy_root_html(std::vector<IndexEntry> entries) {
    std::sort(entries.begin(), entries.end(),
              [](const IndexEntry& a, const IndexEntry& b) { return a.display < b.display; });
    std::string page = "<html><head><title>Simple Index</title></head><body>\n";
    for (const auto& entry : entries)
        page += "<a href='" + entry.display + "/'>" + entry.display + "</a><br/>\n";
    return page + "</body></html>";
}

std::string legacy_xmlrpc_answer(const Index& index, std::string_view body, bool stale) {
    pugi::xml_document document;
    document.load_buffer(body.data(), body.size());
    const auto call = document.child("methodCall");
    const std::string method = call.child_value("methodName");
    const auto parameter = call.child("params").child("param").child("value").first_child();
    if (method == "list_packages") return package_list(index, stale);
    if (method != "changelog")
        return fault(1, "<type 'exceptions.Exception'>:method \"" + method + "\" is not supported");
    if (std::string_view{parameter.name()} != "int")
        return fault(1, "<type 'exceptions.TypeError'>:changelog() takes a time");
    return changelog(index, std::atoll(parameter.child_value()), stale);
}

std::string last_modified_text(std::int64_t microseconds) {
    const std::time_t seconds = microseconds / 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y%m%dT%H:%M:%S\n", &parts);
    return text;
}

}  // namespace sample
