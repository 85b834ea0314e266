#include <limits>

#include "state/impl.h"

namespace pep381d {

namespace {

using sqlite::Statement;

Queued read_queued(const Statement::Rows& row) {
    const auto name = ProjectName::parse(row.text(0));
    if (!name) throw Fatal(5, "state: it holds an illegal project name; it is damaged");
    Queued queued{*name,
                  row.null(1) ? name->text() : row.text(1),
                  Serial{row.integer(2)},
                  {},
                  {},
                  0,
                  {},
                  {},
                  {},
                  {},
                  {},
                  false};
    queued.loss = static_cast<Loss>(row.integer(3));
    queued.last_loss = static_cast<Loss>(row.integer(4));
    queued.attempts = static_cast<int>(row.integer(5));
    queued.not_before = time_of(row.integer(6));
    queued.first_failed = time_of(row.optional_integer(7));
    queued.loss_seen = time_of(row.optional_integer(8));
    queued.stale_since = time_of(row.optional_integer(9));
    queued.absent = time_of(row.optional_integer(10));
    queued.allowed = row.integer(11) != 0;
    return queued;
}

// What has gone wrong at the master for this long no longer holds back last-modified (design 2.3).
constexpr std::chrono::hours excused_after{1};

}  // namespace

void State::enqueue(const ProjectName& name, std::string_view display, Serial serial, Loss loss,
                    Time since, bool soon) {
    impl_
        ->sql(R"sql(
INSERT INTO queue(name, display, serial, loss, last_loss, since, soon) VALUES(?1, ?2, ?3, ?4, ?4, ?5, ?6)
ON CONFLICT(name) DO UPDATE SET
  last_loss = CASE WHEN excluded.serial >= serial THEN excluded.loss ELSE last_loss END,
  display = CASE WHEN excluded.serial >= serial THEN excluded.display ELSE display END,
  stale_since = CASE WHEN excluded.serial > serial THEN NULL ELSE stale_since END,
  loss_seen = CASE WHEN excluded.serial > serial THEN NULL ELSE loss_seen END,
  serial = max(serial, excluded.serial), loss = max(loss, excluded.loss),
  soon = max(soon, excluded.soon), not_before = 0
)sql")
        .run(name.text(), unless_equal(display, name), serial.value, static_cast<int>(loss),
             number_of(since), soon);
}

std::vector<Queued> State::due(Time now, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed FROM queue
WHERE soon = 1 AND not_before <= ? ORDER BY not_before LIMIT ?)sql")
                    .rows(number_of(now), static_cast<std::int64_t>(most));
    std::vector<Queued> all;
    while (rows.next()) all.push_back(read_queued(rows));
    return all;
}

std::vector<Queued> State::backlog(std::string_view after, std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed FROM queue
WHERE name > ? AND soon = 0 ORDER BY name LIMIT ?)sql")
                    .rows(after, static_cast<std::int64_t>(most));
    std::vector<Queued> all;
    while (rows.next()) all.push_back(read_queued(rows));
    return all;
}

std::optional<Queued> State::queued(const ProjectName& name) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, loss, last_loss, attempts, not_before, first_failed, loss_seen, stale_since, absent, allowed FROM queue
WHERE name = ?)sql")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return read_queued(rows);
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

std::vector<std::string> State::absent() {
    auto rows = impl_->sql("SELECT name FROM queue WHERE absent IS NOT NULL").rows();
    std::vector<std::string> all;
    while (rows.next()) all.push_back(rows.text(0));
    return all;
}

void State::note_listed(const std::string& name) {
    impl_->sql("UPDATE queue SET absent = NULL, candidate = 0 WHERE name = ?").run(name);
}

void State::note_absent(const ProjectName& name, Time list) {
    impl_->sql("UPDATE queue SET absent = ?2, not_before = 0, soon = 1 WHERE name = ?1")
        .run(name.text(), number_of(list));
}

void State::note_candidate(const ProjectName& name, bool candidate) {
    impl_->sql("UPDATE queue SET candidate = ?2 WHERE name = ?1").run(name.text(), candidate);
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
    return impl_->one(impl_->sql("SELECT count(*) FROM queue WHERE candidate = 1").rows())
        .value_or(0);
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
    impl_->sql("DELETE FROM queue WHERE name = ? AND serial <= ?").run(name.text(), handled.value);
    // Something newer came in meanwhile: what stands in the backlog is passed by only once.
    if (impl_->database->changes() == 0)
        impl_->sql("UPDATE queue SET soon = 1 WHERE name = ?").run(name.text());
}

void State::retry_all_now() {
    impl_->sql("UPDATE queue SET not_before = 0 WHERE soon = 1 AND not_before > 0").run();
}

std::int64_t State::pending() {
    return impl_->one(impl_->sql("SELECT count(*) FROM queue").rows()).value_or(0);
}

std::int64_t State::failing() {
    return impl_
        ->one(impl_->sql("SELECT count(*) FROM queue WHERE soon = 1 AND attempts > 0").rows())
        .value_or(0);
}

std::vector<FailingProject> State::failing_projects(std::size_t most) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, cause, attempts, not_before FROM queue WHERE soon = 1 AND attempts > 0
ORDER BY name LIMIT ?)sql")
                    .rows(static_cast<std::int64_t>(most));
    std::vector<FailingProject> all;
    while (rows.next())
        all.push_back({rows.text(0), rows.text(1), rows.integer(2), time_of(rows.integer(3))});
    return all;
}

std::optional<std::string> State::cause(const ProjectName& name) {
    auto rows = impl_->sql("SELECT coalesce(cause, 'it was not reached') FROM queue WHERE name = ?")
                    .rows(name.text());
    if (!rows.next()) return std::nullopt;
    return rows.text(0);
}

std::optional<Time> State::next_due() {
    return time_of(
        impl_->one(impl_->sql("SELECT min(not_before) FROM queue WHERE soon = 1").rows()));
}

void State::record_poll(Time began) {
    impl_->sql("INSERT OR IGNORE INTO polls(began) VALUES(?)").run(number_of(began));
}

std::optional<Time> State::handled_until(Time now) {
    const auto oldest =
        impl_->one(impl_
                       ->sql(R"sql(
SELECT min(since) FROM queue WHERE NOT (attempts > 0 AND fault IN (?1, ?2, ?3) AND first_failed <= ?4))sql")
                       .rows(static_cast<int>(Fault::gone), static_cast<int>(Fault::corrupt),
                             static_cast<int>(Fault::refused), number_of(now - excused_after)));
    constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();
    const auto newest = impl_->one(
        impl_->sql("SELECT max(began) FROM polls WHERE began < ?").rows(oldest.value_or(for_ever)));
    if (newest) impl_->sql("DELETE FROM polls WHERE began < ?").run(*newest);
    return time_of(newest);
}

void State::skip(std::string_view project, std::string_view file, std::string_view cause) {
    constexpr std::int64_t most = 10'000;
    if (impl_->one(impl_->sql("SELECT count(*) FROM skipped").rows()).value_or(0) >= most) return;
    impl_->sql("INSERT OR REPLACE INTO skipped(project, file, cause) VALUES(?, ?, ?)")
        .run(project, file, cause);
}

void State::clear_skipped(const ProjectName& project) {
    impl_->sql("DELETE FROM skipped WHERE project = ?").run(project.text());
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
