// A distribution file as a row: the columns of `files` in the order in which queries name them,
// packed so that a usual file takes under 250 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/model/project_page.h"

#include "state/sqlite.h"

namespace pep381d {

inline constexpr const char* file_columns =
    "name, position, path, url, digests, size, held, metadata, uploaded, requires, yanked, "
    "provenance, members, etag";

class FileRows {
  public:
    explicit FileRows(sqlite::Database& database);

    // The rows must not be there. `order`: in which they are written; a file's position is its
    // index.
    void insert(std::int64_t project, const std::vector<File>& files,
                const std::vector<std::size_t>& order);
    // It may be there.
    void write(std::int64_t project, std::size_t position, const File& file);
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
    // What a row's cells point to until it is written.
    struct Scratch {
        DigestBytes path;
        std::string text;
    };
    int bind(sqlite::Statement& statement, int index, std::int64_t project, std::size_t position,
             const File& file, Scratch& scratch);

    // A third of the time of a statement is its own: some rows share it.
    static constexpr std::size_t rows_together = 8;
    std::array<Scratch, rows_together> scratch_;
    // Each with its own statement, because SQLite takes twice as long over one that may replace.
    sqlite::Statement insert_some_;
    sqlite::Statement insert_;
    sqlite::Statement replace_;
    sqlite::Statement find_origin_;
    sqlite::Statement add_origin_;
    sqlite::Statement read_origin_;
    sqlite::Database& database_;
    // The newest origin: nearly all files of a master have one.
    std::int64_t last_id_ = 0;
    std::string last_url_;
};

}  // namespace pep381d
