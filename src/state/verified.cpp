// What verifying asks for: what was verified when, and who owns what lies in the tree.
#include "state/impl.h"

namespace pep381d {

namespace {

constexpr std::string_view companion = ".metadata";

}  // namespace

State::Reading::Reading(State& state) : state_(state) {
    state_.impl_->sql("BEGIN").run();
}

State::Reading::~Reading() {
    try {
        state_.impl_->sql("COMMIT").run();
    } catch (const Fatal&) {
        // There was nothing to commit; who asks next meets what is wrong.
    }
}

bool State::next_held(HeldPlace& at, std::size_t most,
                      const std::function<void(const std::string& path)>& visit) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, path, held, project FROM files
WHERE (project, name) > (?, ?) ORDER BY project, name LIMIT ?)sql")
                    .rows(at.project, at.name, static_cast<std::int64_t>(most));
    bool any = false;
    while (rows.next()) {
        any = true;
        const FileRows::Held held = FileRows::read_held(rows);
        if (held.file) visit(held.path);
        if (held.metadata) visit(held.path + std::string(companion));
        at.project = rows.integer(3);
        at.name = rows.view(0);
    }
    return any;
}

bool State::awaits(const std::string& path) {
    return impl_
        ->one(impl_
                  ->sql("SELECT 1 FROM removals WHERE path = ?1 UNION ALL SELECT 1 FROM intended "
                        "WHERE path = ?1 LIMIT 1")
                  .rows(path))
        .has_value();
}

bool State::awaits_below(const std::string& directory) {
    const std::string before = directory + "/";
    const std::string after = directory + "0";  // '0' follows '/'
    return impl_
        ->one(impl_
                  ->sql(R"sql(
SELECT 1 FROM removals WHERE path > ?1 AND path < ?2
UNION ALL SELECT 1 FROM intended WHERE path > ?1 AND path < ?2 LIMIT 1)sql")
                  .rows(before, after))
        .has_value();
}

std::vector<Unverified> State::unverified(const Unverified& after, Time before, std::size_t most) {
    std::vector<Unverified> all;
    const auto take = [&](sqlite::Statement::Rows rows) {
        while (rows.next()) {
            all.push_back({rows.integer(0), time_in(rows, 2), name_in(rows, 1)});
        }
    };
    const auto limit = static_cast<std::int64_t>(most);
    if (after.at == Time{})
        take(impl_
                 ->sql(R"sql(
SELECT id, name, 0 FROM projects WHERE id > ? AND NOT EXISTS(SELECT 1 FROM verified WHERE project = id)
ORDER BY id LIMIT ?)sql")
                 .rows(after.id, limit));
    if (!all.empty()) return all;
    take(impl_
             ->sql(R"sql(
SELECT id, name, at FROM verified JOIN projects ON id = project
WHERE (at, project) > (?, ?) AND at < ? ORDER BY at, project LIMIT ?)sql")
             .rows(number_of(after.at), after.at == Time{} ? 0 : after.id, number_of(before),
                   limit));
    return all;
}

std::vector<Unverified> State::projects_behind(std::int64_t id, std::size_t most) {
    auto rows = impl_->sql("SELECT id, name FROM projects WHERE id > ? ORDER BY id LIMIT ?")
                    .rows(id, static_cast<std::int64_t>(most));
    std::vector<Unverified> all;
    while (rows.next()) all.push_back({rows.integer(0), Time{}, name_in(rows, 1)});
    return all;
}

std::int64_t State::verified_since(Time since) {
    return impl_
        ->one(impl_->sql("SELECT count(*) FROM verified WHERE at >= ?").rows(number_of(since)))
        .value_or(0);
}

std::int64_t State::known_projects(std::int64_t behind) {
    return impl_->one(impl_->sql("SELECT count(*) FROM projects WHERE id > ?").rows(behind))
        .value_or(0);
}

void State::note_verified(std::int64_t project, Time at) {
    // Not where it has been dropped meanwhile: ids are used again.
    impl_
        ->sql(R"sql(
INSERT OR REPLACE INTO verified(project, at) SELECT id, ? FROM projects WHERE id = ?)sql")
        .run(number_of(at), project);
}

void State::forget_verified_after(Time now) {
    impl_->sql("DELETE FROM verified WHERE at > ?").run(number_of(now));
}

}  // namespace pep381d
