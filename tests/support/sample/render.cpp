#include "support/sample/render.h"

#include <algorithm>

#include "support/sample/text.h"
#include "support/sample/version.h"

namespace sample {
namespace {

struct ListedFile {
    const Project* project;
    const Release* release;
    const File* file;
};

// In PyPI's order: by version, then by file name.
std::vector<ListedFile> listed_files(const Project& project) {
    std::vector<ListedFile> listed;
    if (project.status == Status::quarantined) return listed;
    for (const auto& release : project.releases)
        for (const auto& file : release.files)
            if (!release.quarantined) listed.push_back({&project, &release, &file});
    std::sort(listed.begin(), listed.end(), [](const ListedFile& a, const ListedFile& b) {
        if (a.release != b.release) return version_less(a.release->version, b.release->version);
        return a.file->blob->filename() < b.file->blob->filename();
    });
    return listed;
}

const char* status_text(Status status) {
    if (status == Status::archived) return "archived";
    return status == Status::quarantined ? "quarantined" : "active";
}

std::string provenance_url(const ListedFile& item, const Bases& bases) {
    return bases.pages + "/integrity/" + item.project->name + "/" + item.release->version + "/" +
           item.file->blob->filename() + "/provenance";
}

std::string anchor(const ListedFile& item, const Bases& bases) {
    const auto& digests = item.file->blob->digests();
    auto text = "<a href=\"" + bases.files + digests.path + "#sha256=" + digests.sha256 + "\" ";
    if (!item.file->requires_python.empty())
        text += "data-requires-python=\"" + html_escaped(item.file->requires_python) + "\" ";
    if (item.release->yanked)
        text += "data-yanked=\"" + html_escaped(*item.release->yanked) + "\" ";
    if (!digests.metadata_sha256.empty())
        text += "data-dist-info-metadata=\"sha256=" + digests.metadata_sha256 +
                "\" data-core-metadata=\"sha256=" + digests.metadata_sha256 + "\"";
    if (item.file->provenance)
        text += " data-provenance=\"" + html_escaped(provenance_url(item, bases)) + "\"";
    return text + ">" + html_escaped(item.file->blob->filename()) + "</a><br />\n";
}

std::string file_json(const ListedFile& item, const Bases& bases) {
    const auto& file = *item.file;
    const auto& digests = file.blob->digests();
    const auto core = digests.metadata_sha256.empty()
                          ? std::string{"false"}
                          : "{\"sha256\":\"" + digests.metadata_sha256 + "\"}";
    const auto& yanked = item.release->yanked;
    return "{\"core-metadata\":" + core + ",\"data-dist-info-metadata\":" + core +
           ",\"filename\":" + json_quoted(file.blob->filename()) + ",\"hashes\":{\"sha256\":\"" +
           digests.sha256 + "\"},\"provenance\":" +
           (file.provenance ? json_quoted(provenance_url(item, bases)) : "null") +
           ",\"requires-python\":" +
           (file.requires_python.empty() ? "null" : json_quoted(file.requires_python)) +
           ",\"size\":" + std::to_string(digests.size) + ",\"upload-time\":\"" +
           iso_time(file.uploaded_us) + "\",\"url\":" + json_quoted(bases.files + digests.path) +
           (file.unknown_members.empty() ? "" : "," + file.unknown_members) + ",\"yanked\":" +
           (!yanked           ? "false"
            : yanked->empty() ? "true"
                              : json_quoted(*yanked)) +
           "}";
}

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
    return text;
}

std::string last_serial(std::int64_t serial, bool wanted) {
    return wanted ? "\"_last-serial\":" + std::to_string(serial) + "," : "";
}

void sort_by_name(std::vector<IndexEntry>& entries) {
    std::sort(entries.begin(), entries.end(),
              [](const IndexEntry& a, const IndexEntry& b) { return a.name < b.name; });
}

constexpr auto head =
    "<!DOCTYPE html>\n<html lang=\"en\">\n  <head>\n"
    "    <meta name=\"pypi:repository-version\" content=\"1.4\">\n";

}  // namespace

std::string project_html(const Project& project, const Bases& bases, bool serials) {
    const auto title = "Links for " + html_escaped(project.name);
    auto page = head + std::string{"<meta name=\"pypi:project-status\" content=\""} +
                status_text(project.status) + "\">    <title>" + title +
                "</title>\n  </head>\n  <body>\n    <h1>" + title + "</h1>\n";
    for (const auto& item : listed_files(project)) page += anchor(item, bases);
    page += "</body>\n</html>\n";
    return serials ? page + "<!--SERIAL " + std::to_string(project.serial) + "-->" : page;
}

std::string project_json(const Project& project, const Bases& bases, bool serials) {
    std::vector<std::string> files, versions;
    for (const auto& item : listed_files(project)) {
        files.push_back(file_json(item, bases));
        auto version = json_quoted(item.release->version);
        if (versions.empty() || versions.back() != version) versions.push_back(std::move(version));
    }
    if (project.status != Status::quarantined)
        files.insert(files.end(), project.extra_files.begin(), project.extra_files.end());
    return "{\"files\":[" + joined(files) + "],\"meta\":{" + last_serial(project.serial, serials) +
           "\"api-version\":\"1.4\"},\"name\":" + json_quoted(project.name) +
           ",\"project-status\":{\"status\":\"" + status_text(project.status) +
           "\"},\"versions\":[" + joined(versions) + "]}\n";
}

std::string root_html(std::vector<IndexEntry> entries) {
    sort_by_name(entries);
    std::string page = head + std::string{"    <title>Simple index</title>\n  </head>\n  <body>\n"};
    for (const auto& entry : entries)
        page += "<a href=\"/simple/" + entry.name + "/\">" + html_escaped(entry.display) + "</a>\n";
    return page + "</body>\n</html>";
}

std::string root_json(std::vector<IndexEntry> entries, std::int64_t serial, bool serials) {
    sort_by_name(entries);
    std::vector<std::string> projects;
    projects.reserve(entries.size());
    for (const auto& entry : entries)
        projects.push_back("{" + last_serial(entry.serial, serials) +
                           "\"name\":" + json_quoted(entry.display) + "}");
    return "{\"meta\":{" + last_serial(serial, serials) +
           "\"api-version\":\"1.4\"},\"projects\":[" + joined(projects) + "]}\n";
}

}  // namespace sample
