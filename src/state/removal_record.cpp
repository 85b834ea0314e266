// The record of removals: rows are added, never changed (the schema sees to that).
#include <fmt/format.h>

#include "state/impl.h"

namespace pep381d {

namespace {

std::vector<std::string> lines_in(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

}  // namespace

void State::record_removal(const RemovalRecord& record) {
    impl_
        ->sql(R"sql(
INSERT INTO removal_record(at, kind, project, serial, cause, files) VALUES(?, ?, ?, ?, ?, ?))sql")
        .run(number_of(record.at), name_of(record.kind), record.project, record.serial.value,
             record.cause, fmt::format("{}", fmt::join(record.files, "\n")));
}

void State::for_each_removal(const std::function<void(const RemovalRecord&)>& visit) {
    auto rows = impl_
                    ->sql(
                        "SELECT at, kind, project, serial, cause, files FROM removal_record ORDER "
                        "BY id DESC")
                    .rows();
    while (rows.next()) {
        const auto kind = removal_kind(rows.view(1));
        if (!kind) rows.damaged("it names an unknown kind of removal");
        visit({time_in(rows, 0), *kind, name_in(rows, 2).text(), serial_in(rows, 3), rows.text(4),
               lines_in(rows.view(5))});
    }
}

}  // namespace pep381d
