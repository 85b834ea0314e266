#include "pep381d/sync/list_intake.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "pep381d/master/name_list.h"
#include "pep381d/state/damage.h"
#include "pep381d/sync/intake.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/sync/sorted_list.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

namespace {

// The names of a list that cannot be taken, as far as they are worth remembering.
class Illegal {
  public:
    void add(std::string_view raw) {
        constexpr std::size_t most_names = 10'000, most_bytes = 1 << 20;
        if (bytes_ + raw.size() > most_bytes || names_.size() == most_names) return;
        bytes_ += raw.size();
        names_.emplace_back(raw);
    }
    const std::vector<std::string>& names() const { return names_; }

  private:
    std::vector<std::string> names_;
    std::size_t bytes_ = 0;
};

Outcome<Serial> read_list(FileTree& tree, const std::string& staged, NameList& reader) {
    auto file = tree.open(staged);
    if (!file) return std::move(file).failure();
    std::array<char, 64 * 1024> buffer;
    for (;;) {
        const auto got = tree.read(file.value(), buffer.data(), buffer.size());
        if (!got) return got.failure();
        if (got.value() == 0) return reader.finish();
        if (Done fed = reader.feed({buffer.data(), got.value()}); !fed)
            return std::move(fed).failure();
    }
}

// The published projects by name, some at a time, so that the state may change meanwhile.
class Shown {
  public:
    explicit Shown(State& state) : state_(state) {}
    // Nothing at the end; else good until the next call.
    const ListedProject* next() {
        if (at_ == count_) {
            last_ = count_ == 0 ? std::string() : some_[count_ - 1].name;
            count_ = state_.shown(last_, some_);
            at_ = 0;
        }
        return at_ == count_ ? nullptr : &some_[at_++];
    }

  private:
    State& state_;
    std::vector<ListedProject> some_{1000};
    std::size_t count_ = 0, at_ = 0;
    std::string last_;
};

// The names that an earlier list lacked, in the same way.
class Absent {
  public:
    explicit Absent(State& state) : state_(state) {}
    // To be asked in the order of names.
    bool contains(const std::string& name) {
        while (!ended_ && (at_ == some_.size() || some_[at_] < name)) step();
        return !ended_ && some_[at_] == name;
    }

  private:
    void step() {
        if (at_ < some_.size() && ++at_ < some_.size()) return;
        const std::string last = some_.empty() ? std::string() : some_.back();
        some_ = state_.absent(last, 1000);
        at_ = 0;
        ended_ = some_.empty();
    }

    State& state_;
    std::vector<std::string> some_;
    std::size_t at_ = 0;
    bool ended_ = false;
};

// One pass over the list and the state, both in the order of names.
class Comparison {
  public:
    Comparison(State& state, const Filter& filter, const ListArrived& list, bool keep_deleted,
               ListResult& result)
        : state_(state),
          filter_(filter),
          began_(list.began),
          full_(list.full),
          with_quarantined_(list.form == ListForm::serials || list.form == ListForm::names),
          keep_deleted_(keep_deleted),
          result_(result),
          reached_{state.number(Note::cursor).value_or(0)} {
        backlog_.reserve(1024);
    }

    void run(SortedList& list) {
        Shown shown(state_);
        Absent absent(state_);
        const ListedProject* ours = shown.next();
        for (ListedProject listed; list.next(listed);) {
            for (; ours != nullptr && ours->name < listed.name; ours = shown.next()) lacks(*ours);
            const bool same = ours != nullptr && ours->name == listed.name;
            if (absent.contains(listed.name)) state_.note_listed(name_of(listed.name));
            compare(listed, same ? ours : nullptr);
            if (same) ours = shown.next();
        }
        for (; ours != nullptr; ours = shown.next()) lacks(*ours);
        queue();
    }

  private:
    static ProjectName name_of(const std::string& text) {
        const auto name = ProjectName::parse(text);
        if (!name)
            throw StateDamaged(
                fmt::format("state: illegal project name: it is damaged; {}", adopt_anew));
        return *name;
    }

    void compare(const ListedProject& listed, const ListedProject* ours) {
        if (ours != nullptr && ours->display != listed.display)
            state_.rename(name_of(listed.name), listed.display);
        const bool shown = ours != nullptr && (ours->listed || with_quarantined_);
        if (result_.numbered ? shown && has_that(listed, *ours) : !full_ && known(listed, shown))
            return;
        if (!filter_.wants(name_of(listed.name))) return;
        backlog_.push_back(listed);
        if (!result_.numbered) backlog_.back().serial = result_.highest;
        ++result_.queued;
        if (backlog_.size() == backlog_.capacity()) queue();
    }

    // A serial that the journal has not reached proves nothing: the page may have lied.
    bool has_that(const ListedProject& listed, const ListedProject& ours) const {
        return ours.serial >= listed.serial && ours.serial <= reached_;
    }
    bool known(const ListedProject& listed, bool shown) {
        return shown || state_.queued(name_of(listed.name));
    }

    void queue() {
        state_.enqueue(backlog_, began_);
        backlog_.clear();
    }

    void lacks(const ListedProject& ours) {
        // A list may be an hour old: it cannot know of what came after it.
        if (ours.serial > result_.highest) return;
        // The root index has none that are quarantined; these are looked at when all are.
        if (!with_quarantined_ && !ours.listed && !full_) return;
        const ProjectName name = name_of(ours.name);
        if (!filter_.wants(name)) return;
        if (keep_deleted_) {
            // It is not asked for again; but what waits for its page waits in vain.
            if (state_.queued(name)) state_.note_absent(name, began_);
            return;
        }
        state_.enqueue(name, ours.display, Serial{}, Loss::nothing, began_, true);
        state_.note_absent(name, began_);
        state_.note_candidate(name, true);
        ++result_.absent;
    }

    State& state_;
    const Filter& filter_;
    const Time began_;
    const bool full_;
    const bool with_quarantined_;
    const bool keep_deleted_;
    ListResult& result_;
    const Serial reached_;
    std::vector<ListedProject> backlog_;
};

// A list without serials counts as of the time at which it was asked for. What is wrong with what
// it says of serials, if anything.
std::optional<Failure> judge_serials(State& state, const ListArrived& arrived, Serial told,
                                     ListResult& result) {
    const bool root = arrived.form == ListForm::root_json || arrived.form == ListForm::root_html;
    const auto before = state.number(Note::numbering);
    const bool has_serials = std::max(told, result.highest).value > 0;
    result.numbered = arrived.form == ListForm::serials ||
                      (root && has_serials && before.value_or(serials_theirs) == serials_theirs);
    if (!result.numbered && before == serials_theirs)
        return Failure{
            Fault::corrupt,
            "the root index had serials, and has none any more; nothing is changed here"};
    const std::int64_t last = state.number(Note::root_serial).value_or(0);
    if (root && result.numbered && told.value > 0 && told.value < last)
        return Failure{Fault::corrupt,
                       fmt::format("the master's serial ran backwards, from {} to {}: an old copy "
                                   "of the root index, or a backup; nothing is changed here",
                                   last, told.value)};
    result.told = told;
    result.highest =
        result.numbered ? std::max(result.highest, told) : own_serial(state, arrived.began);
    return std::nullopt;
}

// Pages in the tree of a state that was lost, which its first list lacks. That may be cut short:
// the master is asked for each of them before it counts as gone.
void take_unlisted(State& state, FileTree& tree, const Filter& filter, Time began,
                   ListResult& result) {
    if (!has_any(tree, "simple")) return;
    const auto listing = must(tree.list(layout::published("simple")));
    while (const auto entry = must(listing->next())) {
        const auto name = ProjectName::parse(entry->name);
        if (entry->kind != FileKind::directory || !name || name->text() != entry->name) continue;
        const auto known = state.published(*name);
        if ((known && known->page) || state.queued(*name) || filter.blocks_by_name(*name)) continue;
        if (!has_page(tree, *name)) continue;
        state.enqueue(*name, name->text(), Serial{}, Loss::nothing, began, true);
        if (!filter.wants(*name)) continue;
        state.note_absent(*name, began);
        ++result.absent;
    }
}

// What a pattern leaves out of a state that was lost, whose pages lie here and are not read yet:
// they have to pass the guard.
void note_unwanted(State& state, FileTree& tree, const Filter& filter) {
    for (std::string after;;) {
        const auto names = state.unread(after, 1000);
        if (names.empty()) return;
        for (const ProjectName& name : names)
            if (!filter.wants(name) && !filter.blocks_by_name(name) && has_page(tree, name))
                state.note_candidate(name, true);
        after = names.back().text();
    }
}

// Of those that no list has named and that have such a page each may be lost.
void note_candidates(State& state, FileTree& tree, Time began) {
    constexpr std::size_t most = 1000;
    for (std::vector<std::string> some = state.absent("", most); !some.empty();
         some = state.absent(some.back(), most))
        for (const std::string& text : some) {
            const auto name = ProjectName::parse(text);
            if (!name || !has_page(tree, *name)) continue;
            state.note_absent(*name, began);
            state.note_candidate(*name, true);
        }
}

}  // namespace

Outcome<ListResult> take_list(State& state, FileTree& tree, const Policy& policy,
                              const ListArrived& arrived, std::unordered_set<std::string> under_way,
                              Log& log) {
    // Nothing is written before the whole list was understood.
    const Filter& filter = policy.filter;
    ListResult result;
    result.unlisted = std::move(under_way);
    auto removed = state.unshown_removals();
    SortedList list(tree);
    Illegal illegal;
    auto missing = filter.named();
    NameList reader(arrived.form, arrived.url, [&](std::string_view raw, Serial serial) {
        ++result.names;
        result.highest = std::max(result.highest, serial);
        const auto name = ProjectName::parse(raw);
        if (!name) {
            illegal.add(raw);
            return;
        }
        missing.erase(name->text());
        result.unlisted.erase(name->text());
        removed.erase(name->text());
        list.add(*name, raw, serial);
    });
    const auto told = read_list(tree, arrived.staged, reader);
    if (!told) return told.failure();
    if (result.names == 0) return Failure{Fault::corrupt, "the master's list of projects is empty"};
    if (auto wrong = judge_serials(state, arrived, told.value(), result)) return std::move(*wrong);
    for (const std::string& raw : illegal.names()) skip_illegal(state, raw);
    const auto older_tree = state.number(Note::older_tree);
    if (older_tree) state.note_unread_absent(arrived.began);
    Comparison(state, filter, arrived, policy.keep_deleted, result).run(list);
    for (const std::string& name : removed)
        state.note_absent(*ProjectName::parse(name), arrived.began);
    if (older_tree) {
        // What left the queue since is not asked for again.
        if (older_tree == older_tree_unlisted)
            take_unlisted(state, tree, filter, arrived.began, result);
        note_candidates(state, tree, arrived.began);
        note_unwanted(state, tree, filter);
        state.set(Note::older_tree, older_tree_listed);
    }
    for (const std::string& name : missing)
        log.warning(fmt::format(
            "filtered_name_missing name={} cause=\"the master has no such project\"", name));
    return result;
}

std::vector<ProjectName> take_unwanted(State& state, FileTree& tree, const Filter& filter,
                                       Time now) {
    std::vector<ProjectName> blocked;
    Shown shown(state);
    while (const ListedProject* ours = shown.next()) {
        const auto name = ProjectName::parse(ours->name);
        if (!name || filter.wants(*name)) continue;
        // No loss: the journal has said nothing, should the filter want it again.
        state.enqueue(*name, ours->display, Serial{}, Loss::nothing, now, true);
        state.note_candidate(*name, true);
        if (filter.blocks_by_name(*name)) blocked.push_back(*name);
    }
    if (state.number(Note::older_tree)) note_unwanted(state, tree, filter);
    // Files that came before their page can be had by their URL.
    for (const ProjectName& name : state.without_page()) {
        if (filter.wants(name)) continue;
        state.enqueue(name, name.text(), Serial{}, Loss::nothing, now, true);
        if (filter.blocks_by_name(name)) blocked.push_back(name);
    }
    return blocked;
}

}  // namespace pep381d
