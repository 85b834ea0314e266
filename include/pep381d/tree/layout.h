// All paths of the mirror, relative to mirror.directory (design 1.3). A path is made nowhere else.
#pragma once

#include <string>
#include <string_view>

#include "pep381d/model/project_name.h"

namespace pep381d::layout {

inline const std::string web = "web";
inline const std::string staging = "staging";
inline const std::string last_modified = "web/last-modified";
inline const std::string server_key = "web/serverkey";  // PEP 381; only where we sign
inline const std::string server_key_ed25519 = "web/serverkey.ed25519";
inline const std::string root_html = "web/simple/index.html";
inline const std::string root_v1_html = "web/simple/index.v1_html";
inline const std::string root_json = "web/simple/index.v1_json";
inline const std::string status_html = "web/status/index.html";
inline const std::string status_json = "web/status/status.json";
inline const std::string changes = "web/status/changes";  // a number, in a line

// A path below web/, such as File::path or a removal, as a path of the tree.
inline std::string published(std::string_view below_web) {
    return "web/" + std::string(below_web);
}
// The other way round.
inline std::string below_web(std::string_view path) {
    return std::string(path.substr(web.size() + 1));
}
inline std::string staged(std::string_view name) {
    return "staging/" + std::string(name);
}

// PEP 658: the companion lies beside its file.
inline std::string metadata(const std::string& file) {
    return file + ".metadata";
}

// A project's page in its directory: in both formats, and the alias of the HTML.
inline const std::string html_name = "index.html";
inline const std::string v1_html_name = "index.v1_html";
inline const std::string json_name = "index.v1_json";

// Below web/.
inline std::string page_directory(const ProjectName& name) {
    return "simple/" + name.text();
}
inline std::string page_html(const ProjectName& name) {
    return page_directory(name) + "/" + html_name;
}
inline std::string page_v1_html(const ProjectName& name) {
    return page_directory(name) + "/" + v1_html_name;
}
inline std::string page_json(const ProjectName& name) {
    return page_directory(name) + "/" + json_name;
}

// Below web/: of the page in HTML. No normalized name has a dot.
inline std::string signature(const ProjectName& name) {
    return "serversig/" + name.text();
}
inline std::string signature_ed25519(const ProjectName& name) {
    return signature(name) + ".ed25519";
}

}  // namespace pep381d::layout
