#include "state/file_row.h"

#include <limits>

#include <fmt/format.h>

#include "pep381d/base/byte_set.h"
#include "pep381d/base/outcome.h"
#include "pep381d/model/file_path.h"

namespace pep381d {

namespace {

using sqlite::Blob;
using sqlite::Cell;
using sqlite::Null;

constexpr std::size_t sha256_size = 32;

constexpr std::string_view path_root = "packages/";
// The SHA-256 in hexadecimal in three directories, with the slashes behind them.
constexpr std::size_t path_directories = 2 + 1 + 2 + 1 + 60 + 1;
constexpr ByteSet no_lowercase_hex = ByteSet().add('0', '9').add('a', 'f').complement();

void append_hashed_path(std::string& out, std::string_view bytes, std::string_view name) {
    out.reserve(out.size() + path_root.size() + path_directories + name.size());
    out += path_root;
    append_hex(out, bytes.substr(0, 1));
    out += '/';
    append_hex(out, bytes.substr(1, 1));
    out += '/';
    append_hex(out, bytes.substr(2));
    out += '/';
    out += name;
}

// The bytes of which append_hashed_path() makes the file's path, or nothing where that has another
// shape.
std::optional<DigestBytes> path_digest(const File& file, std::string& scratch) {
    const std::string_view path(file.path);
    const std::string& name = file.name.text();
    if (path.size() != path_root.size() + path_directories + name.size() ||
        !path.starts_with(path_root) || !path.ends_with(name))
        return std::nullopt;
    const std::string_view directories = path.substr(path_root.size(), path_directories);
    if (directories[2] != '/' || directories[5] != '/' || directories.back() != '/')
        return std::nullopt;
    scratch.assign(directories.substr(0, 2))
        .append(directories.substr(3, 2))
        .append(directories.substr(6, 60));
    if (no_lowercase_hex.find_in(scratch) < scratch.size()) return std::nullopt;
    return digest_from_hex(scratch, sha256_size);
}

std::string digests_text(const std::vector<Digest>& digests) {
    std::string text;
    for (const Digest& digest : digests)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name_of(digest.algorithm),
                            to_hex(digest.bytes));
    return text;
}

// Nothing where it is no such text.
std::optional<std::vector<Digest>> parse_digests(std::string_view text) {
    std::vector<Digest> digests;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        const auto digest = parse_digest(word);
        if (!digest) return std::nullopt;
        digests.push_back(*digest);
    }
    return digests;
}

// What the column holds, which must be a SHA-256.
DigestBytes sha256_in(const sqlite::Statement::Rows& row, int column) {
    if (row.view(column).size() != sha256_size) row.damaged("it holds a digest of a wrong size");
    return row.view(column);
}

// What the columns `name` and `path` say.
std::string path_in(const sqlite::Statement::Rows& row, int name, int path) {
    std::string text;
    if (row.is_blob(path))
        append_hashed_path(text, sha256_in(row, path), row.view(name));
    else
        text = row.view(path);
    // Pages without files may know of files that have no path.
    if (!text.empty() && !legal_file_path(text)) row.damaged("it names an illegal path");
    return text;
}

// The part of the URL in front of its escaped path; nothing where the URL is not made like that.
std::optional<std::string_view> origin_of(const File& file, std::string& scratch) {
    scratch.clear();
    append_escaped_path(scratch, file.path);
    const std::string_view url(file.url);
    if (!url.ends_with(scratch)) return std::nullopt;
    return url.substr(0, url.size() - scratch.size());
}

Cell digests_cell(const File& file, std::string& scratch) {
    if (file.digests.empty()) return Null{};
    if (file.digests.size() == 1 && file.digests[0].algorithm == Algorithm::sha256)
        return Blob{file.digests[0].bytes};
    scratch = digests_text(file.digests);
    return scratch;
}

Cell metadata_cell(const CoreMetadata& metadata) {
    if (metadata.sha256.size() == sha256_size) return Blob{metadata.sha256};
    if (metadata.offered) return std::int64_t{1};
    return Null{};
}

Cell yanked_cell(const File& file) {
    if (!file.yanked_reason.empty()) return std::string_view(file.yanked_reason);
    if (file.yanked) return std::int64_t{1};
    return Null{};
}

std::string writing(std::string_view verb, std::size_t rows) {
    std::string sql = fmt::format("{} INTO files(project, {}) VALUES", verb, file_columns);
    for (std::size_t row = 0; row < rows; ++row)
        sql += row == 0 ? "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                        : ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    return sql;
}

Cell text_cell(const std::string& text) {
    if (text.empty()) return Null{};
    return std::string_view(text);
}

}  // namespace

FileRows::FileRows(sqlite::Database& database)
    : insert_some_(database, writing("INSERT", rows_together).c_str()),
      insert_(database, writing("INSERT", 1).c_str()),
      replace_(database, writing("REPLACE", 1).c_str()),
      find_origin_(database, "SELECT id FROM origins WHERE url = ?"),
      add_origin_(database, "INSERT INTO origins(url) VALUES(?)"),
      read_origin_(database, "SELECT url FROM origins WHERE id = ?"),
      database_(database) {}

std::int64_t FileRows::origin_id(std::string_view url) {
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
        if (!rows.next()) database_.damaged("a file names an origin that is not there");
        last_url_ = rows.text(0);
        last_id_ = id;
    }
    return last_url_;
}

void FileRows::insert(std::int64_t project, const std::vector<File>& files,
                      const std::vector<std::size_t>& order) {
    std::size_t at = 0;
    for (; at + rows_together <= order.size(); at += rows_together) {
        int index = 0;
        for (std::size_t row = 0; row < rows_together; ++row)
            index = bind(insert_some_, index, project, order[at + row], files[order[at + row]],
                         scratch_[row]);
        insert_some_.run();
    }
    for (; at < order.size(); ++at) {
        bind(insert_, 0, project, order[at], files[order[at]], scratch_[0]);
        insert_.run();
    }
}

void FileRows::write(std::int64_t project, std::size_t position, const File& file) {
    bind(replace_, 0, project, position, file, scratch_[0]);
    replace_.run();
}

// The parameters behind `index`; gives the index of the last.
int FileRows::bind(sqlite::Statement& statement, int index, std::int64_t project,
                   std::size_t position, const File& file, Scratch& scratch) {
    Cell path = std::string_view(file.path), url = std::string_view(file.url);
    if (const auto bytes = path_digest(file, scratch.text)) {
        scratch.path = *bytes;
        path = Blob{scratch.path};
    }
    if (const auto origin = origin_of(file, scratch.text)) url = origin_id(*origin);
    statement.set(++index, project);
    statement.set(++index, file.name.text());
    statement.set(++index, static_cast<std::int64_t>(position));
    statement.set(++index, path);
    statement.set(++index, url);
    statement.set(++index, digests_cell(file, scratch.text));
    statement.set(++index, file.size);
    statement.set(++index, (file.held ? 1 : 0) | (file.metadata_held ? 2 : 0));
    statement.set(++index, metadata_cell(file.core_metadata));
    statement.set(++index, file.upload_time);
    statement.set(++index, file.requires_python);
    statement.set(++index, yanked_cell(file));
    statement.set(++index, file.provenance);
    statement.set(++index, text_cell(file.members));
    statement.set(++index, text_cell(file.etag));
    return index;
}

FileRows::Held FileRows::read_held(const sqlite::Statement::Rows& row) {
    const auto held = row.integer(2, 0, 3);
    return {path_in(row, 0, 1), (held & 1) != 0, (held & 2) != 0};
}

File FileRows::read(const sqlite::Statement::Rows& row) {
    auto name = FileName::parse(row.view(0));
    if (!name) row.damaged("it holds an illegal file name");
    File file{.name = std::move(*name)};
    file.path = path_in(row, 0, 2);
    if (row.is_integer(3)) {
        const std::string& origin = origin_url(row.integer(3));
        file.url.reserve(origin.size() + file.path.size());
        file.url = origin;
        append_escaped_path(file.url, file.path);
    } else {
        file.url = row.view(3);
    }
    if (row.is_blob(4)) {
        file.digests.push_back({Algorithm::sha256, sha256_in(row, 4)});
    } else {
        auto digests = parse_digests(row.view(4));
        if (!digests) row.damaged("it holds digests that are none");
        file.digests = std::move(*digests);
    }
    if (!row.null(5)) file.size = row.integer(5, 0, std::numeric_limits<std::int64_t>::max());
    file.held = (row.integer(6, 0, 3) & 1) != 0;
    file.metadata_held = (row.integer(6) & 2) != 0;
    file.core_metadata.offered = !row.null(7);
    if (row.is_blob(7)) file.core_metadata.sha256 = sha256_in(row, 7);
    file.upload_time = row.optional_integer(8);
    file.requires_python = row.optional_text(9);
    file.yanked = !row.null(10);
    if (file.yanked && !row.is_integer(10)) file.yanked_reason = row.view(10);
    file.provenance = row.optional_text(11);
    file.members = row.view(12);
    file.etag = row.view(13);
    return file;
}

}  // namespace pep381d
