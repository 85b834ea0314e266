// Files of the master's that cannot be mirrored.
#include "state/impl.h"

namespace pep381d {

void State::skip(std::string_view project, std::string_view file, std::string_view cause) {
    constexpr std::int64_t most = 10'000;
    constexpr std::size_t longest = 1000;  // bytes; a page may have names of megabytes
    bool& full = impl_->counts.skipped_full;
    if (full) return;
    full = impl_->one(impl_->sql("SELECT count(*) FROM skipped").rows()).value_or(0) >= most;
    if (full) return;
    impl_->sql("INSERT OR REPLACE INTO skipped(project, file, cause) VALUES(?, ?, ?)")
        .run(project.substr(0, longest), file.substr(0, longest), cause.substr(0, longest));
}

void State::clear_skipped(const ProjectName& project) {
    impl_->sql("DELETE FROM skipped WHERE project = ?").run(project.text());
    if (impl_->database->changes() > 0) impl_->counts.skipped_full = false;
}

std::vector<SkippedItem> State::skipped(std::size_t most) {
    auto rows = impl_->sql("SELECT project, file, cause FROM skipped LIMIT ?")
                    .rows(static_cast<std::int64_t>(most));
    std::vector<SkippedItem> all;
    while (rows.next())
        all.push_back({rows.text(1).empty() ? rows.text(0) : rows.text(0) + ": " + rows.text(1),
                       rows.text(2)});
    return all;
}

}  // namespace pep381d
