// What of the master's journal has been read, and how far all of it is done.
#include <limits>

#include "state/impl.h"

namespace pep381d {

namespace {

// What has gone wrong at the master for this long no longer holds back last-modified (design 2.3).
constexpr std::chrono::hours excused_after{1};

}  // namespace

bool State::remember_row(const std::string& mark, std::int64_t time) {
    impl_->sql("INSERT OR IGNORE INTO journal_rows(mark, time) VALUES(?, ?)").run(mark, time);
    return impl_->database->changes() > 0;
}

void State::forget_rows(std::int64_t before) {
    impl_->sql("DELETE FROM journal_rows WHERE time < ?").run(before);
}

void State::forget_journal() {
    for (const Note note : {Note::cursor, Note::list_serial, Note::reconciled, Note::numbering,
                            Note::journal_time, Note::root_etag, Note::root_serial, Note::undated,
                            Note::dated, Note::dated_gone, Note::dated_looks, Note::protocol})
        unset(note);
    impl_->sql("DELETE FROM journal_rows").run();
}

void State::record_poll(Time began, std::optional<Time> shows) {
    impl_->sql("INSERT OR IGNORE INTO polls(began, shows) VALUES(?, ?)")
        .run(number_of(began), shows && *shows < began ? std::optional(number_of(*shows))
                                                       : std::optional<std::int64_t>());
}

std::optional<Time> State::handled_until(Time now) {
    // In a first sync the first row answers: it is older than every poll.
    const bool nothing_handled =
        impl_
            ->one(impl_
                      ->sql(R"sql(
SELECT 1 FROM queue WHERE since <= (SELECT min(began) FROM polls)
  AND NOT (attempts > 0 AND fault IN (?1, ?2, ?3, ?4) AND first_failed <= ?5) LIMIT 1)sql")
                      .rows(static_cast<int>(Fault::gone), static_cast<int>(Fault::corrupt),
                            static_cast<int>(Fault::refused), static_cast<int>(Fault::taken),
                            number_of(now - excused_after)))
            .has_value();
    if (nothing_handled) return std::nullopt;
    const auto oldest =
        impl_->one(impl_
                       ->sql(R"sql(
SELECT min(since) FROM queue WHERE NOT (attempts > 0 AND fault IN (?1, ?2, ?3, ?4) AND first_failed <= ?5))sql")
                       .rows(static_cast<int>(Fault::gone), static_cast<int>(Fault::corrupt),
                             static_cast<int>(Fault::refused), static_cast<int>(Fault::taken),
                             number_of(now - excused_after)));
    constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();
    const auto newest = impl_->time(
        impl_->sql("SELECT max(began) FROM polls WHERE began < ?").rows(oldest.value_or(for_ever)));
    if (!newest) return newest;
    impl_->sql("DELETE FROM polls WHERE began < ?").run(number_of(*newest));
    return impl_->time(impl_->sql("SELECT coalesce(shows, began) FROM polls WHERE began = ?")
                           .rows(number_of(*newest)));
}

}  // namespace pep381d
