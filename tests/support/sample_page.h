// Project pages as values, for tests that do not care where they come from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pep381d/model/file_path.h"
#include "pep381d/model/project_page.h"

namespace sample {

using namespace pep381d;

// A file whose bytes are its name, as PyPI would list it.
inline File sdist(const std::string& name) {
    File file{*FileName::parse(name), {}, {}, {}, {}, {}, false, {}, {}, {}, {}, {}, false, false};
    const std::string hex = to_hex(sha256("path of " + name));
    file.url = "https://files.example/packages/" + hex.substr(0, 2) + "/" + hex.substr(2, 2) + "/" +
               hex.substr(4) + "/" + name;
    file.digests = {{Algorithm::sha256, sha256(name)}};
    file.size = static_cast<std::int64_t>(name.size());
    file.requires_python = ">=3.8";
    file.upload_time = 1'700'000'000'123'456;
    return file;
}

// The same with a .metadata, whose bytes are `metadata of NAME`.
inline File wheel(const std::string& name) {
    File file = sdist(name);
    file.core_metadata = {true, sha256("metadata of " + name)};
    return file;
}

inline ProjectPage page(const std::string& name, std::int64_t serial, std::vector<File> files) {
    ProjectPage page{
        *ProjectName::parse(name), Serial{serial}, {"active", ""}, std::move(files), {}, {}};
    page.meta_members = R"("api-version":"1.4")";
    page.members = R"("project-status":{"status":"active"},"versions":[])";
    return page;
}

}  // namespace sample
