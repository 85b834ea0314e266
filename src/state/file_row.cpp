#include "state/file_row.h"

#include <fmt/format.h>

#include "pep381d/base/outcome.h"
#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

constexpr std::size_t sha256_size = 32;

std::string hashed_path(std::string_view hex, const std::string& name) {
    return fmt::format("packages/{}/{}/{}/{}", hex.substr(0, 2), hex.substr(2, 2), hex.substr(4),
                       name);
}

// The 32 bytes of `packages/aa/bb/rest/NAME`, or nothing where the path has another shape.
std::optional<std::string> path_digest(const File& file) {
    constexpr std::size_t prefix = 9, hex_start = prefix, directories = 66;
    if (file.path.size() != prefix + directories + 1 + file.name.text().size()) return std::nullopt;
    const std::string_view path(file.path);
    const std::string hex = std::string(path.substr(hex_start, 2)) +
                            std::string(path.substr(hex_start + 3, 2)) +
                            std::string(path.substr(hex_start + 6, 60));
    auto bytes = from_hex(hex);
    if (!bytes || hashed_path(hex, file.name.text()) != file.path || to_hex(*bytes) != hex)
        return std::nullopt;
    return bytes;
}

std::string digests_text(const std::vector<Digest>& digests) {
    std::string text;
    for (const Digest& digest : digests)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name_of(digest.algorithm),
                            to_hex(digest.bytes));
    return text;
}

std::vector<Digest> parse_digests(std::string_view text) {
    std::vector<Digest> digests;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) continue;
        const auto algorithm = algorithm_named(word.substr(0, equals));
        auto bytes = from_hex(word.substr(equals + 1));
        if (algorithm && bytes) digests.push_back({*algorithm, std::move(*bytes)});
    }
    return digests;
}

// The part of the URL in front of its escaped path; nothing where the URL is not made like that.
std::optional<std::string> origin_of(const File& file) {
    const std::string path = escape_path(file.path);
    if (!file.url.ends_with(path)) return std::nullopt;
    return file.url.substr(0, file.url.size() - path.size());
}

// A column that holds one of several kinds of value: exactly one member is set, or none for NULL.
struct Cell {
    std::optional<sqlite::Blob> blob;
    std::optional<std::string_view> text;
    std::optional<std::int64_t> number;
};

}  // namespace

FileRows::FileRows(sqlite::Database& database)
    : insert_(database,
              "INSERT OR REPLACE INTO files(project, name, position, path, url, digests, size, "
              "held, metadata, uploaded, "
              "requires, yanked, provenance, members) VALUES(?1, ?2, ?3, coalesce(?4, ?5), "
              "coalesce(?6, ?7), "
              "coalesce(?8, ?9), ?10, ?11, coalesce(?12, ?13), ?14, ?15, coalesce(?16, ?17), ?18, "
              "?19)"),
      find_origin_(database, "SELECT id FROM origins WHERE url = ?"),
      add_origin_(database, "INSERT INTO origins(url) VALUES(?)"),
      read_origin_(database, "SELECT url FROM origins WHERE id = ?"),
      database_(database) {}

std::int64_t FileRows::origin_id(const std::string& url) {
    if (last_id_ != 0 && last_url_ == url) return last_id_;
    std::int64_t id = 0;
    if (auto rows = find_origin_.rows(url); rows.next()) id = rows.integer(0);
    if (id == 0) {
        add_origin_.run(url);
        id = database_.last_row();
    }
    last_id_ = id;
    last_url_ = url;
    return id;
}

const std::string& FileRows::origin_url(std::int64_t id) {
    if (id != last_id_) {
        auto rows = read_origin_.rows(id);
        if (!rows.next())
            throw Fatal(5, "state: a file names an origin that is not there; it is damaged");
        last_url_ = rows.text(0);
        last_id_ = id;
    }
    return last_url_;
}

void FileRows::write(std::int64_t project, std::int64_t position, const File& file) {
    const auto path_bytes = path_digest(file);
    Cell path, url, digests, metadata, yanked;
    if (path_bytes)
        path.blob = sqlite::Blob{*path_bytes};
    else
        path.text = file.path;

    if (const auto origin = origin_of(file))
        url.number = origin_id(*origin);
    else
        url.text = file.url;

    std::string digest_list;
    if (file.digests.size() == 1 && file.digests[0].algorithm == Algorithm::sha256) {
        digests.blob = sqlite::Blob{file.digests[0].bytes};
    } else if (!file.digests.empty()) {
        digest_list = digests_text(file.digests);
        digests.text = digest_list;
    }

    if (file.core_metadata.sha256.size() == sha256_size)
        metadata.blob = sqlite::Blob{file.core_metadata.sha256};
    else if (file.core_metadata.offered)
        metadata.number = 1;

    if (!file.yanked_reason.empty())
        yanked.text = file.yanked_reason;
    else if (file.yanked)
        yanked.number = 1;

    std::optional<std::string_view> members;
    if (!file.members.empty()) members = file.members;

    insert_.run(project, file.name.text(), position, path.blob, path.text, url.number, url.text,
                digests.blob, digests.text, file.size,
                (file.held ? 1 : 0) | (file.metadata_held ? 2 : 0), metadata.blob, metadata.number,
                file.upload_time, file.requires_python, yanked.text, yanked.number, file.provenance,
                members);
}

File FileRows::read(const sqlite::Statement::Rows& row) {
    const auto name = FileName::parse(row.text(0));
    if (!name) throw Fatal(5, "state: it holds an illegal file name; it is damaged");
    File file{*name, {}, {}, {}, {}, {}, false, {}, {}, {}, {}, {}, false, false};
    file.path = row.is_blob(2) ? hashed_path(to_hex(row.text(2)), name->text()) : row.text(2);
    file.url =
        row.is_integer(3) ? origin_url(row.integer(3)) + escape_path(file.path) : row.text(3);
    if (row.is_blob(4))
        file.digests.push_back({Algorithm::sha256, row.text(4)});
    else
        file.digests = parse_digests(row.text(4));
    file.size = row.optional_integer(5);
    file.held = (row.integer(6) & 1) != 0;
    file.metadata_held = (row.integer(6) & 2) != 0;
    file.core_metadata.offered = !row.null(7);
    if (row.is_blob(7)) file.core_metadata.sha256 = row.text(7);
    file.upload_time = row.optional_integer(8);
    file.requires_python = row.optional_text(9);
    file.yanked = !row.null(10);
    if (file.yanked && !row.is_integer(10)) file.yanked_reason = row.text(10);
    file.provenance = row.optional_text(11);
    file.members = row.text(12);
    return file;
}

}  // namespace pep381d
