// A project's page of the simple index (PEP 503, 691, 700, 714, 740, 792) as values, whatever
// format it came in.
//
// What the master said survives: members that this program does not interpret are kept as the text
// in which they came and are written again as they are (design 2.10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pep381d/base/digest.h"
#include "pep381d/model/file_name.h"
#include "pep381d/model/project_name.h"
#include "pep381d/model/serial.h"

namespace pep381d {

// PEP 714: whether the index offers the file's METADATA beside it, and under which SHA-256.
struct CoreMetadata {
    bool offered = false;
    DigestBytes sha256;  // 32 bytes; empty: offered without a digest that we know
    bool operator==(const CoreMetadata&) const = default;
};

struct Digest {
    Algorithm algorithm = Algorithm::sha256;
    DigestBytes bytes;
    bool operator==(const Digest&) const = default;
};

// Of `sha256=...` in hexadecimal, as a link's fragment has it (PEP 503); nothing for others.
std::optional<Digest> parse_digest(std::string_view text);

struct File {
    FileName name;
    std::string url;   // absolute, at the master; what it points to is the file
    std::string path;  // below web/, `packages/.../NAME`, see file_path.h; empty until plan has
                       // found it legal
    std::vector<Digest> digests;       // those that we can check, the strongest first; may be empty
    std::optional<std::int64_t> size;  // bytes
    std::optional<std::string> requires_python;
    bool yanked = false;                      // PEP 592
    std::string yanked_reason;                // empty: none given
    CoreMetadata core_metadata;               // as the master says
    std::optional<std::string> provenance;    // PEP 740, absolute URL
    std::optional<std::int64_t> upload_time;  // PEP 700, microseconds since 1970, UTC

    // JSON members as the master wrote them, `"hashes":{...},"size":5,...`: all but filename, url,
    // core-metadata and data-dist-info-metadata. Repeated as they are in the JSON page. Empty: they
    // are the usual ones, as for nearly all files of PyPI; so these need no memory and no disk.
    std::string members;

    bool held = false;           // the file is in our tree, whole and verified
    bool metadata_held = false;  // so is its .metadata

    // That came with the bytes which are held, where the page has no digest to know others by.
    std::string etag{};

    bool operator==(const File&) const = default;
};

// PEP 792. The status is the master's word: "active", "archived", "quarantined", "deprecated", or
// one yet unknown.
struct ProjectStatus {
    std::string status;  // empty: the master named none
    std::string reason;  // empty: none given
    bool operator==(const ProjectStatus&) const = default;
};

struct ProjectPage {
    ProjectName name;
    Serial serial;
    ProjectStatus status;
    std::vector<File> files;  // in the master's order

    // JSON members as the master wrote them: of `meta` all but _last-serial; of the top level all
    // but meta, name and files (so versions and project-status are among them).
    std::string meta_members;
    std::string members;

    bool quarantined() const { return status.status == "quarantined"; }
    bool operator==(const ProjectPage&) const = default;
};

// False where no two files have the same name. It compares hashes: true is no proof that two have.
bool names_may_repeat(const std::vector<File>& files);

// Appends the members text of a file that carries just what PyPI writes, in PyPI's order and
// spelling: `hashes` with one SHA-256, `provenance`, `requires-python`, `size`, `upload-time`,
// `yanked`.
void append_usual_members(std::string& out, const File& file);

// Microseconds since 1970 of `2023-04-04T12:26:47.798446Z` (PEP 700; the fraction may be missing);
// nothing for others.
std::optional<std::int64_t> parse_upload_time(std::string_view text);
// Appends it in PyPI's spelling: no fraction where it is 0, else six digits.
void append_upload_time(std::string& out, std::int64_t time);

// The text as a JSON string with its quotes, escaping only what JSON demands (as PyPI does).
std::string json_string(std::string_view text);
void append_json_string(std::string& out, std::string_view text);

}  // namespace pep381d
