#include <limits>

#include <fmt/format.h>

#include "state/impl.h"

namespace pep381d {

namespace {

using sqlite::Statement;

Queued read_queued(const Statement::Rows& row) {
    const ProjectName name = name_in(row, 0);
    Queued queued{name,
                  row.null(1) ? name.text() : row.text(1),
                  serial_in(row, 2),
                  {},
                  {},
                  0,
                  {},
                  {},
                  {},
                  {},
                  {},
                  false};
    constexpr auto greatest = static_cast<std::int64_t>(Loss::quarantine);
    queued.loss = static_cast<Loss>(row.integer(3, 0, greatest));
    queued.last_loss = static_cast<Loss>(row.integer(4, 0, greatest));
    queued.attempts = static_cast<int>(row.integer(5, 0, std::numeric_limits<int>::max() - 1));
    queued.not_before = time_in(row, 6);
    queued.first_failed = optional_time_in(row, 7);
    queued.loss_seen = optional_time_in(row, 8);
    queued.stale_since = optional_time_in(row, 9);
    queued.absent = optional_time_in(row, 10);
    queued.allowed = row.integer(11, 0, 1) != 0;
    queued.gone_since = optional_time_in(row, 12);
    queued.gone_looks = static_cast<int>(row.integer(13, 0, std::numeric_limits<int>::max() - 1));
    queued.of_list = row.integer(14, 0, 1) == 0;
    return queued;
}

std::vector<Queued> read_all(Statement::Rows rows) {
    std::vector<Queued> all;
    while (rows.next()) all.push_back(read_queued(rows));
    return all;
}

std::string queued_where(std::string_view condition) {
    return fmt::format(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed,
  gone_since, gone_looks, soon FROM queue WHERE {})sql",
                       condition);
}

}  // namespace

void State::enqueue(const ProjectName& name, std::string_view display, Serial serial, Loss loss,
                    Time since, bool soon) {
    impl_
        ->sql(R"sql(
INSERT INTO queue(name, display, serial, loss, last_loss, since, soon) VALUES(?1, ?2, ?3, ?4, ?4, ?5, ?6)
ON CONFLICT(name) DO NOTHING)sql")
        .run(name.text(), unless_equal(display, name.text()), serial.value, static_cast<int>(loss),
             number_of(since), soon);
    if (impl_->database->changes() == 0)
        impl_->expect({name.text(), std::string(display), serial}, loss, soon);
    else if (impl_->counts.pending)
        ++*impl_->counts.pending;
}

// Rows are written only where something changes: a list names all that already waits.
void State::Impl::expect(const ListedProject& project, Loss loss, bool soon) {
    sql(R"sql(
UPDATE queue SET
  last_loss = CASE WHEN ?3 >= serial THEN ?4 ELSE last_loss END,
  display = CASE WHEN ?3 >= serial THEN ?2 ELSE display END,
  stale_since = CASE WHEN ?3 > serial THEN NULL ELSE stale_since END,
  loss_seen = CASE WHEN ?3 > serial THEN NULL ELSE loss_seen END,
  gone_since = CASE WHEN ?3 > serial THEN NULL ELSE gone_since END,
  gone_looks = CASE WHEN ?3 > serial THEN 0 ELSE gone_looks END,
  fault = CASE WHEN ?3 > serial AND fault = ?6 THEN ?7 ELSE fault END,
  serial = max(serial, ?3), loss = max(loss, ?4), soon = max(soon, ?5), not_before = 0
WHERE name = ?1 AND (?3 > serial OR (?3 = serial AND (?4 <> last_loss OR ?2 IS NOT display)) OR
  ?4 > loss OR ?5 > soon OR not_before > 0))sql")
        .run(project.name, unless_equal(project.display, project.name), project.serial.value,
             static_cast<int>(loss), soon, static_cast<int>(Fault::taken),
             static_cast<int>(Fault::retry_later));
}

void State::enqueue(const std::vector<ListedProject>& projects, Time since) {
    // Half of the time of an insertion is the statement's own: many rows share it.
    constexpr std::size_t rows = 32;
    static const std::string text = [] {
        std::string sql =
            "INSERT INTO queue(name, display, serial, loss, last_loss, since, soon) VALUES";
        for (std::size_t row = 0; row < rows; ++row)
            sql += row == 0 ? "(?2, ?3, ?4, 0, 0, ?1, 0)" : ",(?, ?, ?, 0, 0, ?1, 0)";
        return sql + " ON CONFLICT(name) DO NOTHING";
    }();
    std::size_t at = 0;
    for (; at + rows <= projects.size(); at += rows) {
        Statement& insert = impl_->sql(text.c_str());
        int index = 0;
        insert.set(++index, number_of(since));
        for (std::size_t row = at; row < at + rows; ++row) {
            insert.set(++index, projects[row].name);
            insert.set(++index, unless_equal(projects[row].display, projects[row].name));
            insert.set(++index, projects[row].serial.value);
        }
        insert.run();
        const auto added = impl_->database->changes();
        if (impl_->counts.pending) *impl_->counts.pending += added;
        if (added == rows) continue;
        for (std::size_t row = at; row < at + rows; ++row)
            impl_->expect(projects[row], Loss::nothing, false);
    }
    for (; at < projects.size(); ++at)
        if (const auto name = ProjectName::parse(projects[at].name))
            enqueue(*name, projects[at].display, projects[at].serial, Loss::nothing, since, false);
}

std::vector<Queued> State::due(Time now, std::size_t most) {
    static const std::string text =
        queued_where("soon = 1 AND not_before <= ? ORDER BY not_before LIMIT ?");
    return read_all(impl_->sql(text.c_str()).rows(number_of(now), static_cast<std::int64_t>(most)));
}

std::vector<Queued> State::due_losses(Time now, std::size_t most) {
    static const std::string text = queued_where(
        "soon = 1 AND not_before <= ? AND loss > 0 ORDER BY loss DESC, not_before LIMIT ?");
    return read_all(impl_->sql(text.c_str()).rows(number_of(now), static_cast<std::int64_t>(most)));
}

std::vector<Queued> State::backlog(std::string_view after, std::size_t most) {
    static const std::string text = queued_where("name > ? AND soon = 0 ORDER BY name LIMIT ?");
    return read_all(impl_->sql(text.c_str()).rows(after, static_cast<std::int64_t>(most)));
}

std::optional<Queued> State::queued(const ProjectName& name) {
    static const std::string text = queued_where("name = ?");
    auto rows = impl_->sql(text.c_str()).rows(name.text());
    if (!rows.next()) return std::nullopt;
    return read_queued(rows);
}

bool State::waits_for_place(const ProjectName& name) {
    return impl_
        ->one(impl_->sql("SELECT 1 FROM queue WHERE name = ? AND attempts > 0 AND fault = ?")
                  .rows(name.text(), static_cast<int>(Fault::taken)))
        .has_value();
}

void State::postpone(const ProjectName& name, Time not_before, Time now, const Failure& failure) {
    impl_
        ->sql(R"sql(
UPDATE queue SET attempts = attempts + 1, not_before = ?2, soon = 1, first_failed = coalesce(first_failed, ?3),
  fault = ?4, cause = ?5 WHERE name = ?1)sql")
        .run(name.text(), number_of(not_before), number_of(now), static_cast<int>(failure.fault),
             failure.what);
}

void State::note_unexplained_loss(const ProjectName& name, Time seen) {
    impl_->sql("UPDATE queue SET loss_seen = coalesce(loss_seen, ?2) WHERE name = ?1")
        .run(name.text(), number_of(seen));
}

void State::note_stale(const ProjectName& name, Time seen) {
    impl_->sql("UPDATE queue SET stale_since = coalesce(stale_since, ?2) WHERE name = ?1")
        .run(name.text(), number_of(seen));
}

void State::note_gone(const ProjectName& name, Time seen) {
    impl_
        ->sql(R"sql(
UPDATE queue SET gone_since = coalesce(gone_since, ?2), gone_looks = gone_looks + 1 WHERE name = ?1)sql")
        .run(name.text(), number_of(seen));
}

void State::note_there(const ProjectName& name) {
    impl_
        ->sql(
            "UPDATE queue SET gone_since = NULL, gone_looks = 0 WHERE name = ? AND gone_looks > 0")
        .run(name.text());
}

std::vector<std::string> State::absent(std::string_view after, std::size_t most) {
    auto rows = impl_
                    ->sql(
                        "SELECT name FROM queue WHERE absent IS NOT NULL AND name > ? ORDER BY "
                        "name LIMIT ?")
                    .rows(after, static_cast<std::int64_t>(most));
    std::vector<std::string> all;
    while (rows.next()) all.push_back(name_in(rows, 0).text());
    return all;
}

std::vector<ProjectName> State::unread(std::string_view after, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name FROM queue WHERE name > ?
  AND NOT EXISTS (SELECT 1 FROM projects WHERE projects.name = queue.name AND page > 0)
ORDER BY name LIMIT ?)sql")
                    .rows(after, static_cast<std::int64_t>(most));
    std::vector<ProjectName> all;
    while (rows.next()) all.push_back(name_in(rows, 0));
    return all;
}

std::unordered_set<std::string> State::unshown_removals() {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name FROM queue INDEXED BY queue_soon WHERE soon = 1 AND last_loss = ?
  AND NOT EXISTS (SELECT 1 FROM projects WHERE projects.name = queue.name AND page > 0))sql")
                    .rows(static_cast<int>(Loss::project));
    std::unordered_set<std::string> all;
    while (rows.next()) all.insert(name_in(rows, 0).text());
    return all;
}

void State::note_listed(const ProjectName& name) {
    note_candidate(name, false);
    impl_->sql("UPDATE queue SET absent = NULL WHERE name = ?").run(name.text());
}

void State::note_absent(const ProjectName& name, Time list) {
    impl_->sql("UPDATE queue SET absent = ?2, not_before = 0, soon = 1 WHERE name = ?1")
        .run(name.text(), number_of(list));
}

void State::note_unread_absent(Time list) {
    impl_
        ->sql(R"sql(
UPDATE queue SET absent = ? WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.name = queue.name AND page > 0))sql")
        .run(number_of(list));
}

bool State::waits_for_master() {
    return impl_->sql("SELECT 1 FROM queue WHERE fault IS NULL OR fault <> ? LIMIT 1")
        .rows(static_cast<std::int64_t>(Fault::local))
        .next();
}

void State::note_candidate(const ProjectName& name, bool candidate) {
    impl_->sql("UPDATE queue SET candidate = ?2 WHERE name = ?1 AND candidate <> ?2")
        .run(name.text(), candidate);
    if (impl_->counts.candidates)
        *impl_->counts.candidates += impl_->database->changes() * (candidate ? 1 : -1);
}

void State::hold(const ProjectName& name, Time not_before, Time now, std::string_view cause) {
    impl_
        ->sql(R"sql(
UPDATE queue SET held = 1, attempts = attempts + 1, not_before = ?2, soon = 1, first_failed = coalesce(first_failed, ?3),
  fault = ?4, cause = ?5 WHERE name = ?1)sql")
        .run(name.text(), number_of(not_before), number_of(now), static_cast<int>(Fault::gone),
             cause);
}

std::int64_t State::deletion_candidates() {
    auto& count = impl_->counts.candidates;
    if (!count)
        count = impl_->one(impl_
                               ->sql(R"sql(
SELECT count(*) FROM queue WHERE candidate = 1)sql")
                               .rows());
    return count.value_or(0);
}

std::int64_t State::held() {
    return impl_
        ->one(impl_->sql("SELECT count(*) FROM queue WHERE candidate = 1 AND held = 1").rows())
        .value_or(0);
}

std::int64_t State::allow_held() {
    impl_->sql("UPDATE queue SET allowed = 1, not_before = 0 WHERE candidate = 1 AND held = 1")
        .run();
    return impl_->database->changes();
}

void State::settle(const ProjectName& name, Serial handled) {
    {
        auto gone =
            impl_->sql("DELETE FROM queue WHERE name = ? AND serial <= ? RETURNING candidate")
                .rows(name.text(), handled.value);
        if (gone.next()) {
            auto& counts = impl_->counts;
            if (counts.pending) --*counts.pending;
            if (counts.candidates) *counts.candidates -= gone.integer(0);
            return;
        }
    }
    // Something newer came in meanwhile: what stands in the backlog is passed by only once.
    impl_->sql("UPDATE queue SET soon = 1 WHERE name = ?").run(name.text());
}

void State::retry_all_now() {
    impl_->sql("UPDATE queue SET not_before = 0 WHERE soon = 1 AND not_before > 0").run();
}

void State::retry_now(const ProjectName& name) {
    impl_->sql("UPDATE queue SET not_before = 0 WHERE name = ? AND soon = 1").run(name.text());
}

std::int64_t State::pending() {
    auto& count = impl_->counts.pending;
    if (!count) count = impl_->one(impl_->sql("SELECT count(*) FROM queue").rows());
    return count.value_or(0);
}

std::int64_t State::failing() {
    return impl_
        ->one(impl_->sql("SELECT count(*) FROM queue WHERE soon = 1 AND attempts > 0").rows())
        .value_or(0);
}

std::vector<FailingProject> State::failing_projects(std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, cause, attempts, not_before FROM queue INDEXED BY queue_soon WHERE soon = 1 AND attempts > 0
ORDER BY name LIMIT ?)sql")
                    .rows(static_cast<std::int64_t>(most));
    std::vector<FailingProject> all;
    while (rows.next())
        all.push_back({name_in(rows, 0).text(), rows.text(1), rows.integer(2), time_in(rows, 3)});
    return all;
}

std::vector<FailingProject> State::unreached_projects(std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, not_before FROM queue INDEXED BY queue_soon WHERE soon = 1 AND attempts = 0 ORDER BY name LIMIT ?)sql")
                    .rows(static_cast<std::int64_t>(most));
    std::vector<FailingProject> all;
    while (rows.next())
        all.push_back({name_in(rows, 0).text(), "it was not reached", 0, time_in(rows, 1)});
    return all;
}

std::optional<std::string> State::cause(const ProjectName& name) {
    auto rows = impl_->sql("SELECT coalesce(cause, 'it was not reached') FROM queue WHERE name = ?")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return rows.text(0);
}

std::optional<Time> State::next_due() {
    return impl_->time(impl_->sql("SELECT min(not_before) FROM queue WHERE soon = 1").rows());
}

void State::set_back_clock(Time now, Time latest_try, Time latest_removal) {
    impl_->sql("UPDATE removals SET not_before = ?1 WHERE not_before > ?1")
        .run(number_of(latest_removal));
    impl_->sql("UPDATE queue SET not_before = ?1 WHERE soon = 1 AND not_before > ?1")
        .run(number_of(latest_try));
    const bool tries_ahead = impl_->database->changes() > 0;
    if (!tries_ahead && time(Note::last_poll).value_or(now) <= now) return;
    impl_->sql("DELETE FROM polls WHERE began > ?").run(number_of(now));
    impl_
        ->sql(R"sql(
UPDATE queue SET since = min(since, ?1), not_before = min(not_before, ?1), first_failed = min(first_failed, ?1),
  loss_seen = min(loss_seen, ?1), stale_since = min(stale_since, ?1), absent = min(absent, ?1),
  gone_since = min(gone_since, ?1))sql")
        .run(number_of(now));
}

}  // namespace pep381d
