#include "pep381d/app/copying.h"

namespace pep381d {

std::vector<CopyConflict> copy_conflicts(const Config& config) {
    std::vector<CopyConflict> found;
    if (!config.pages_copy) return found;
    const auto conflict = [&](bool is, const char* key, const char* what) {
        if (is) found.push_back({key, std::string(what) + ", or set pages.mode = regenerate"});
    };
    conflict(!config.signing_key.empty(), "signing.key",
             "copied pages have the master's signatures (pages.mode = copy): leave it empty");
    conflict(!config.pages_html, "pages.formats",
             "what is copied is the page in HTML (pages.mode = copy): add html");
    conflict(!config.files_enabled, "files.enabled",
             "copied pages link to the files here (pages.mode = copy): set it to true");
    conflict(!config.files_core_metadata, "files.core-metadata",
             "copied pages offer the .metadata files (pages.mode = copy): set it to true");
    conflict(config.deletes_keep, "deletes.policy",
             "copied pages cannot keep what the master removes (pages.mode = copy): set mirror");
    return found;
}

}  // namespace pep381d
