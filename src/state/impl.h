// The inside of State, for the sources that share it: the open database, its prepared statements
// and what State keeps in memory.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pep381d/base/descriptor.h"
#include "pep381d/state/state.h"

#include "state/file_row.h"
#include "state/sqlite.h"

namespace pep381d {

inline std::int64_t number_of(Time time) {
    return time.time_since_epoch().count();
}
// Up to the end of the year 9999: what is beyond nobody can write down.
inline constexpr std::int64_t latest_time = 253'402'300'799'999;
inline Time time_in(const sqlite::Statement::Rows& row, int column) {
    return Time(std::chrono::milliseconds(row.integer(column, 0, latest_time)));
}
inline std::optional<Time> optional_time_in(const sqlite::Statement::Rows& row, int column) {
    if (row.null(column)) return std::nullopt;
    return time_in(row, column);
}
inline Serial serial_in(const sqlite::Statement::Rows& row, int column) {
    return Serial{row.integer(column, 0, std::numeric_limits<std::int64_t>::max())};
}
// A project's name in its normalized form.
inline ProjectName name_in(const sqlite::Statement::Rows& row, int column) {
    auto name = ProjectName::parse(row.view(column));
    if (!name || name->text() != row.view(column)) row.damaged("it holds an illegal project name");
    return std::move(*name);
}

// As the column `display` has it.
inline std::optional<std::string_view> unless_equal(std::string_view display,
                                                    std::string_view name) {
    if (display == name) return std::nullopt;
    return display;
}

// A file, where it lies.
struct FileAt {
    std::string name, path;
    bool companion;  // it is not the file but its .metadata, beside it
};

struct State::Impl {
    // Counts that nobody has to ask the tables for. What a Change did to them is undone with it.
    struct Counts {
        Totals totals;
        // Of the queue; counted once, when somebody first asks.
        std::optional<std::int64_t> pending, candidates;
        bool skipped_full = false;  // there is no room for more of what was left out
    };

    Impl(const std::string& path, Access access);

    // Of the WAL's index. Closed after the database: that would give up SQLite's locks on it, which
    // belong to the process.
    Descriptor index;
    std::unique_ptr<sqlite::Database> database;
    FileRows file_rows;
    Counts counts;
    std::unordered_map<const char*, sqlite::Statement> statements;

    // Prepared once, at its first use. `text`: a literal, known by its address.
    sqlite::Statement& sql(const char* text) {
        const auto found = statements.find(text);
        if (found != statements.end()) return found->second;
        return statements.emplace(text, sqlite::Statement(*database, text)).first->second;
    }

    std::optional<std::int64_t> one(sqlite::Statement::Rows rows) {
        if (!rows.next()) return std::nullopt;
        return rows.optional_integer(0);
    }

    std::optional<Time> time(sqlite::Statement::Rows rows) {
        if (!rows.next()) return std::nullopt;
        return optional_time_in(rows, 0);
    }

    struct PlacedFiles {
        std::vector<File> files;  // by position
        std::vector<std::int64_t> positions;
    };
    void expect(const ListedProject& project, Loss loss, bool soon);
    PlacedFiles files_of(std::int64_t project);
    // The project's row, made where there was none: then it has no files yet.
    struct ProjectRow {
        std::int64_t id;
        std::int64_t page;
        bool fresh;
    };
    ProjectRow project_row(const ProjectName& name, std::string_view display);
    class KeptPaths;
    void insert_files(std::int64_t project, const ProjectPage& page);
    // Each gives the paths of the files that were held and are not any more.
    std::vector<std::string> update_files(std::int64_t project, const ProjectPage& page,
                                          Time remove_from, KeptPaths& kept);
    std::vector<std::string> write_files(const ProjectRow& project, const ProjectPage& page,
                                         Time remove_from);
    void note_copy(const ProjectRow& project, const std::optional<CopiedPage>& copy);
    std::optional<File> file_of(std::int64_t project, const std::string& name);
    void has_come(const ProjectName& name, const std::string& path);
    void count(const File& file, int sign);
    void put_down(const std::string& path, Time not_before, std::int64_t after_root = 0,
                  std::string_view project = {});
    // What the project's pages have dropped before goes now.
    void end_grace(const ProjectName& name);
    void put_down_intended(const std::string& path, std::int64_t after_root);
    void no_removal(const std::string& path);
    void no_page_removal(const ProjectName& name);
    bool any_removals = true;
    std::vector<std::string> take_intended(const ProjectName& name);
    std::vector<std::string> damaged(const ProjectName& name);  // as noted
    // With each file that is written (`before`: what its row was, where there was one), and each
    // that is not there any more.
    void note_misnamed(std::int64_t project, const ProjectName& name, const File& file,
                       const File* before = nullptr);
    void forget_misnamed(std::int64_t project, const ProjectName& name, const File& file);
    // All that may have this file.
    std::vector<std::int64_t> projects_with(const FileAt& at);
    // The file with which the project holds what lies there; nothing where it does not.
    std::optional<File> held_at(std::int64_t project, const FileAt& at);
};

// Two marks stand among the intended paths: for a page that is about to be replaced, and for a file
// that is damaged. No path of a file begins like them.
inline std::string intended_page(const ProjectName& name) {
    return "simple/" + name.text();
}
inline constexpr std::string_view damaged_mark = "damaged/", after_damaged_marks = "damaged0";

}  // namespace pep381d
