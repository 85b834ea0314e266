// What the sample master knows: projects, releases, files, and the journal of how they came to be.
// No HTTP, no formats. Not thread-safe: its owner locks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "support/sample/blob.h"

namespace sample {

struct File {
    std::shared_ptr<const Blob> blob;
    std::string requires_python;  // empty: none
    std::int64_t uploaded_us = 0;
    bool provenance = false;
    std::string unknown_members;  // raw JSON members that no standard knows, such as "x-note":1
};

struct Release {
    std::string version;
    std::vector<File> files;
    std::optional<std::string> yanked;  // the reason, possibly empty
    bool quarantined = false;
};

enum class Status { active, archived, quarantined };

// Which files a project's releases have.
enum class Style { pure, both_pythons, compiled, source_only };

struct Project {
    std::string name;  // normalized
    std::string display;
    Status status = Status::active;
    bool removed = false;
    std::int64_t serial = 0;
    std::vector<Release> releases;         // in the order of their upload
    std::vector<std::string> extra_files;  // raw JSON objects, listed as they are
    std::string last_version;              // the highest ever, so that no file name comes twice
    std::vector<std::string> requirements;
    Style style = Style::pure;
    std::shared_ptr<const Project>
        previous;  // as before the latest event since the start; null: no such event

    Release* release(std::string_view version);
};

struct JournalRow {
    std::string name;  // the display name at that time
    std::optional<std::string> version;
    std::int64_t time = 0;  // Unix seconds
    std::string action;
    std::int64_t serial = 0;
};

struct IndexEntry {
    std::string name;
    std::string display;
    std::int64_t serial = 0;
};

class Index {
  public:
    explicit Index(std::uint64_t seed) : seed_{seed} {}
    Index(Index&&) = default;
    Index& operator=(Index&&) = default;

    std::uint64_t seed() const { return seed_; }
    std::int64_t now_us() const { return now_us_; }
    void set_now(std::int64_t microseconds) { now_us_ = microseconds; }

    std::int64_t serial() const { return journal_.empty() ? 0 : journal_.back().serial; }
    const std::vector<JournalRow>& journal() const { return journal_; }
    // Adds a row at the present time, with the next serial; gaps are as common as in PyPI's.
    void record(Project& project, std::optional<std::string> version, std::string action);
    // A row as it is given, its serial included.
    void record_row(JournalRow row);

    Project& add_project(std::string display);
    Project* find(std::string_view normalized_name);
    const Project* find(std::string_view normalized_name) const;
    // In the order of creation; removed ones included.
    const std::vector<Project*>& projects() const { return order_; }
    void add_blob(std::shared_ptr<const Blob> blob);
    // By the path of its URL. Removal from a page does not remove a file, as on PyPI.
    std::shared_ptr<const Blob> blob(std::string_view path) const;
    std::shared_ptr<const Blob> blob_named(const std::string& filename) const;

    // Keeps what was before the event that has just happened, to answer with it when a stale answer
    // is asked for.
    void remember(Project& project, Project before, std::int64_t serial_before);
    // The project as a page shows it; null: 404. `stale`: as before its latest event.
    const Project* shown(std::string_view normalized_name, bool stale) const;
    // The newest serial that is told of; `stale`: before the latest event.
    std::int64_t told_serial(bool stale) const { return stale ? stale_serial() : serial(); }
    // In the order of creation. The XML-RPC list has quarantined projects, the root index has not.
    std::vector<IndexEntry> list(bool with_quarantined, bool stale) const;

  private:
    std::int64_t stale_serial() const { return before_event_ ? *before_event_ : serial(); }

    std::uint64_t seed_;
    std::int64_t now_us_ = 0;
    std::vector<JournalRow> journal_;
    std::map<std::string, Project, std::less<>> projects_;
    std::vector<Project*> order_;
    std::unordered_map<std::string, std::shared_ptr<const Blob>> blobs_;  // by file name
    std::optional<std::int64_t> before_event_;
    const Project* latest_ = nullptr;  // the project of the latest event
};

}  // namespace sample
