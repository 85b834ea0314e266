#include "pep381d/sync/intake.h"

#include <algorithm>

namespace pep381d {

void skip_illegal(State& state, std::string_view raw) {
    state.skip(raw, {}, "no legal project name");
}

void take_events(State& state, const Filter& filter, const std::vector<Event>& events, Time began,
                 Serial cursor) {
    const bool older_tree = state.number(Note::older_tree).has_value();
    const auto take = [&](std::string_view raw, Serial serial, Loss loss) {
        if (raw.empty()) return;  // a row about the index itself, such as `keyrotate`
        const auto name = ProjectName::parse(raw);
        if (!name) {
            skip_illegal(state, raw);
            return;
        }
        const auto ours = state.published(*name);
        // A serial that the journal has not reached proves nothing: the page may have lied.
        const bool shown = ours && ours->page && ours->serial >= serial && ours->serial <= cursor &&
                           loss != Loss::project;
        if (shown || !filter.wants(*name)) return;
        state.enqueue(*name, raw, serial, loss, began, true);
        // It is newer than the list that lacked it.
        if (older_tree && loss != Loss::project) state.note_listed(*name);
        state.note_candidate(*name, loss == Loss::project && (older_tree || (ours && ours->page)));
    };
    for (const Event& event : events) {
        take(event.name, event.serial, loss_of(event));
        const auto former = renamed_from(event);
        // Another spelling of the name is the same project, and that has its row already.
        if (!former.empty() && ProjectName::parse(former) != ProjectName::parse(event.name))
            take(former, event.serial, Loss::project);
    }
}

bool numbers_ours(State& state) {
    return state.number(Note::numbering) == serials_ours;
}

Serial own_serial(State& state, Time now) {
    return Serial{std::max(state.number(Note::cursor).value_or(0) + 1, unix_seconds(now))};
}

void use_serial(State& state, Serial serial) {
    if (serial.value > state.number(Note::cursor).value_or(0))
        state.set(Note::cursor, serial.value);
}

Serial number_rows(State& state, std::vector<Event>& events, Time now) {
    constexpr std::int64_t day = 24 * 3600;
    std::int64_t serial = state.number(Note::cursor).value_or(0);
    std::int64_t newest = state.number(Note::journal_time).value_or(0);
    std::erase_if(events, [&](Event& event) {
        if (!state.remember_row(event.mark, event.time)) return true;
        // A time that has not come yet is no time.
        const bool sound = event.time <= unix_seconds(now) + day;
        serial = std::max(serial + 1, sound ? event.time : 0);
        event.serial = Serial{serial};
        newest = std::max(newest, sound ? event.time : 0);
        return false;
    });
    state.set(Note::journal_time, newest);
    return Serial{serial};
}

std::int64_t journal_since(State& state) {
    constexpr std::int64_t overlap = 3600;
    std::int64_t since = state.number(Note::journal_time).value_or(0);
    if (const auto polled = state.time(Note::last_poll))
        since = std::min(since, unix_seconds(*polled));
    return std::max<std::int64_t>(since - overlap, 0);
}

void take_all(State& state, Time now) {
    state.forget_etags();
    for (std::string after;;) {
        const auto names = state.projects_after(after, 1000);
        if (names.empty()) return;
        for (const ProjectName& name : names)
            state.enqueue(name, state.published(name)->display, Serial{}, Loss::nothing, now, true);
        after = names.back().text();
    }
}

}  // namespace pep381d
