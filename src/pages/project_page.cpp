#include "pep381d/pages/project_page.h"

#include <algorithm>

#include "pep381d/model/file_path.h"
#include "pep381d/pages/escape.h"

namespace pep381d {

namespace {

// A usual entry with its tags, so that most pages are written without growing.
constexpr std::size_t entry_size = 640;
constexpr std::size_t frame_size = 512;

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
    out += ' ';
    out += name;
    out += "=\"";
    append_xml(out, value);
    out += '"';
}

void append_meta(std::string& out, std::string_view name, std::string_view content) {
    out += "<meta";
    append_attribute(out, "name", name);
    append_attribute(out, "content", content);
    out += "/>";
}

// One digest (PEP 503): SHA-256 where there is one, else the strongest that no client stumbles
// over. uv refuses a whole page for a fragment with sha1 or sha224.
const Digest* fragment_digest(const File& file) {
    for (const Algorithm algorithm :
         {Algorithm::sha256, Algorithm::sha512, Algorithm::sha384, Algorithm::md5})
        for (const Digest& digest : file.digests)
            if (digest.algorithm == algorithm) return &digest;
    return nullptr;
}

void append_metadata(std::string& out, std::string_view name, const CoreMetadata& metadata) {
    if (metadata.sha256.empty()) {
        append_attribute(out, name, "true");
        return;
    }
    out += ' ';
    out += name;
    out += "=\"sha256=";
    append_hex(out, metadata.sha256);
    out += '"';
}

bool offers_metadata(const File& file) {
    return file.core_metadata.offered && (!file.held || file.metadata_held);
}

void append_file_html(std::string& out, const File& file) {
    out += "<a href=\"";
    if (file.held) {
        out += "../../";
        append_escaped_path(out, file.path);  // leaves nothing that XML would have to escape
    } else {
        append_xml(out, file.url);
    }
    if (const Digest* digest = fragment_digest(file)) {
        out += '#';
        out += name_of(digest->algorithm);
        out += '=';
        append_hex(out, digest->bytes);
    }
    out += '"';
    if (file.requires_python && !file.requires_python->empty())
        append_attribute(out, "data-requires-python", *file.requires_python);
    if (file.yanked)
        append_attribute(out, "data-yanked",
                         file.yanked_reason);  // pip overlooks one without a value
    if (offers_metadata(file)) {
        append_metadata(out, "data-dist-info-metadata", file.core_metadata);
        append_metadata(out, "data-core-metadata", file.core_metadata);
    }
    if (file.provenance && file.provenance->starts_with("https://"))  // PEP 740 allows no other
        append_attribute(out, "data-provenance", *file.provenance);
    out += '>';
    append_xml(out, file.name.text());
    out += "</a><br/>\n";
}

void append_file_json(std::string& out, const File& file) {
    out += R"({"core-metadata":)";
    if (!offers_metadata(file)) {
        out += "false";
    } else if (file.core_metadata.sha256.empty()) {
        out += "true";
    } else {
        out += R"({"sha256":")";
        append_hex(out, file.core_metadata.sha256);
        out += "\"}";
    }
    out += R"(,"filename":)";
    append_json_string(out, file.name.text());
    out += ',';
    if (file.members.empty())
        append_usual_members(out, file);
    else
        out += file.members;
    out += R"(,"url":)";
    if (file.held) {
        out += "\"../../";
        append_escaped_path(out, file.path);
        out += '"';
    } else {
        append_json_string(out, file.url);
    }
    out += '}';
}

}  // namespace

std::string project_html(const ProjectPage& page) {
    std::string out;
    out.reserve(frame_size + page.files.size() * entry_size);
    out += "<!DOCTYPE html>\n<html lang=\"en\">\n<head>";
    append_meta(out, "pypi:repository-version", "1.4");
    if (!page.status.status.empty()) append_meta(out, "pypi:project-status", page.status.status);
    if (!page.status.reason.empty())
        append_meta(out, "pypi:project-status-reason", page.status.reason);
    const std::string title = "Links for " + page.name.text();
    out += "<title>" + title + "</title></head>\n<body><h1>" + title + "</h1>\n";
    for (const File& file : page.files) append_file_html(out, file);
    out += "</body>\n</html>\n<!--SERIAL " + std::to_string(page.serial.value) + "-->\n";
    return out;
}

std::string project_json(const ProjectPage& page) {
    std::string out;
    out.reserve(frame_size + page.members.size() + page.files.size() * entry_size);
    out += R"({"meta":{"_last-serial":)" + std::to_string(page.serial.value) + ',';
    // A master that names no version promises neither `versions` nor sizes, which 1.1 demands (PEP
    // 700).
    out += page.meta_members.empty() ? R"("api-version":"1.0")" : page.meta_members;
    out += R"(},"name":")" + page.name.text() + "\",";
    if (!page.members.empty()) out += page.members + ',';
    out += R"("files":[)";
    for (std::size_t i = 0; i < page.files.size(); ++i) {
        if (i > 0) out += ',';
        append_file_json(out, page.files[i]);
    }
    out += "]}\n";
    return out;
}

}  // namespace pep381d
