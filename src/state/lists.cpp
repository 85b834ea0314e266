// Many projects, in the order of their names.
#include "state/impl.h"

namespace pep381d {

void State::for_each_listed(const VisitListed& visit) {
    auto rows = impl_
                    ->sql(
                        "SELECT name, display, serial, page FROM projects INDEXED BY "
                        "projects_shown WHERE page > 0 ORDER BY name")
                    .rows();
    while (rows.next()) {
        if (rows.integer(3) != 2) continue;
        const std::string name = name_in(rows, 0).text();
        visit(name, rows.null(1) ? name : rows.view(1), serial_in(rows, 2));
    }
}

void State::for_each_listed(const VisitListed& visit,
                            const std::function<bool(const ProjectName& queued)>& also) {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name, display, serial, 1 FROM projects INDEXED BY projects_shown WHERE page > 0 AND page = 2
UNION ALL
SELECT name, display, serial, 0 FROM queue
WHERE NOT EXISTS(SELECT 1 FROM projects p WHERE p.name = queue.name AND page > 0) ORDER BY 1)sql")
                    .rows();
    while (rows.next()) {
        const ProjectName name = name_in(rows, 0);
        if (rows.integer(3) == 1 || also(name))
            visit(name.text(), rows.null(1) ? name.text() : rows.view(1), serial_in(rows, 2));
    }
}

std::size_t State::shown(std::string_view after, std::vector<ListedProject>& projects) {
    auto rows =
        impl_
            ->sql(
                "SELECT name, display, serial, page FROM projects INDEXED BY projects_shown "
                "WHERE page > 0 AND name > ? ORDER BY name LIMIT ?")
            .rows(after, static_cast<std::int64_t>(projects.size()));
    std::size_t count = 0;
    for (; rows.next(); ++count) {
        ListedProject& project = projects[count];
        project.name = rows.view(0);
        project.display = rows.null(1) ? project.name : rows.view(1);
        project.serial = serial_in(rows, 2);
        project.listed = rows.integer(3) == 2;
    }
    return count;
}

std::vector<ProjectName> State::projects_after(std::string_view name, std::size_t most) {
    auto rows =
        impl_->sql("SELECT name FROM projects WHERE page > 0 AND name > ? ORDER BY name LIMIT ?")
            .rows(name, static_cast<std::int64_t>(most));
    std::vector<ProjectName> all;
    while (rows.next()) all.push_back(name_in(rows, 0));
    return all;
}

std::vector<ProjectName> State::without_page() {
    auto rows = impl_
                    ->sql(R"sql(
SELECT name FROM projects WHERE page = 0 UNION
SELECT project FROM intended WHERE project NOT IN (SELECT name FROM projects WHERE page > 0))sql")
                    .rows();
    std::vector<ProjectName> all;
    while (rows.next()) all.push_back(name_in(rows, 0));
    return all;
}

}  // namespace pep381d
