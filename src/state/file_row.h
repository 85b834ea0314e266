// A distribution file as a row: the columns of `files` in the order in which queries name them,
// packed so that a usual file takes under 250 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pep381d/model/project_page.h"

#include "state/sqlite.h"

namespace pep381d {

inline constexpr const char* file_columns =
    "name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, "
    "provenance, members, etag";

class FileRows {
  public:
    explicit FileRows(sqlite::Database& database);

    // The row must not be there.
    void insert(std::int64_t project, std::int64_t position, const File& file);
    // It may be there.
    void write(std::int64_t project, std::int64_t position, const File& file);
    // From a query for file_columns.
    File read(const sqlite::Statement::Rows& row);
    // Only what is in the tree; from a query for `name, path, held`.
    struct Held {
        std::string path;
        bool file, metadata;
    };
    static Held read_held(const sqlite::Statement::Rows& row);
    // What was written since the last commit is undone.
    void undone() { last_id_ = 0; }

  private:
    std::int64_t origin_id(std::string_view url);
    const std::string& origin_url(std::int64_t id);
    void run(sqlite::Statement& statement, std::int64_t project, std::int64_t position,
             const File& file);

    // Each with its own statement, because SQLite takes twice as long over one that may replace.
    sqlite::Statement insert_;
    sqlite::Statement replace_;
    sqlite::Statement find_origin_;
    sqlite::Statement add_origin_;
    sqlite::Statement read_origin_;
    sqlite::Database& database_;
    // The newest origin: nearly all files of a master have one.
    std::int64_t last_id_ = 0;
    std::string last_url_;
    std::string scratch_;
};

}  // namespace pep381d
