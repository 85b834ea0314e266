#include "pep381d/sync/intake.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pep381d/master/xmlrpc.h"
#include "pep381d/state/damage.h"
#include "pep381d/sync/sorted_list.h"

namespace pep381d {

namespace {

constexpr const char* no_legal_name = "no legal project name";

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

Done read_list(FileTree& tree, const std::string& staged, ListReader& reader) {
    auto file = tree.open(staged);
    if (!file) return std::move(file).failure();
    std::array<char, 64 * 1024> buffer;
    for (;;) {
        const auto got = tree.read(file.value(), buffer.data(), buffer.size());
        if (!got) return got.failure();
        if (got.value() == 0) return reader.finish();
        if (Done fed = reader.feed({buffer.data(), got.value()}); !fed) return fed;
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
    Comparison(State& state, const Filter& filter, Time began, bool keep_deleted,
               ListResult& result)
        : state_(state),
          filter_(filter),
          began_(began),
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
        // A serial that the journal has not reached proves nothing: the page may have lied.
        if (ours != nullptr && ours->serial >= listed.serial && ours->serial <= reached_) return;
        if (!filter_.wants(name_of(listed.name))) return;
        backlog_.push_back(listed);
        ++result_.queued;
        if (backlog_.size() == backlog_.capacity()) queue();
    }

    void queue() {
        state_.enqueue(backlog_, began_);
        backlog_.clear();
    }

    void lacks(const ListedProject& ours) {
        // A list may be an hour old: it cannot know of what came after it.
        if (keep_deleted_ || ours.serial > result_.highest) return;
        const ProjectName name = name_of(ours.name);
        if (!filter_.wants(name)) return;
        state_.enqueue(name, ours.display, Serial{}, Loss::nothing, began_, true);
        state_.note_absent(name, began_);
        state_.note_candidate(name, true);
        ++result_.absent;
    }

    State& state_;
    const Filter& filter_;
    const Time began_;
    const bool keep_deleted_;
    ListResult& result_;
    const Serial reached_;
    std::vector<ListedProject> backlog_;
};

}  // namespace

void take_events(State& state, const Filter& filter, const std::vector<Event>& events, Time began,
                 Serial cursor) {
    const auto take = [&](std::string_view raw, Serial serial, Loss loss) {
        const auto name = ProjectName::parse(raw);
        if (!name) {
            state.skip(raw, {}, no_legal_name);
            return;
        }
        const auto ours = state.published(*name);
        // A serial that the journal has not reached proves nothing: the page may have lied.
        const bool shown = ours && ours->page && ours->serial >= serial && ours->serial <= cursor &&
                           loss != Loss::project;
        if (shown || !filter.wants(*name)) return;
        state.enqueue(*name, raw, serial, loss, began, true);
        state.note_candidate(*name, loss == Loss::project && ours && ours->page);
    };
    for (const Event& event : events) {
        take(event.name, event.serial, loss_of(event));
        if (const auto former = renamed_from(event); !former.empty())
            take(former, event.serial, Loss::project);
    }
}

Outcome<ListResult> take_list(State& state, FileTree& tree, const Filter& filter,
                              const std::string& staged, Time began, bool keep_deleted, Log& log) {
    // Nothing is written before the whole list was understood.
    ListResult result;
    SortedList list(tree);
    Illegal illegal;
    auto missing = filter.named();
    ListReader reader([&](std::string_view raw, Serial serial) {
        ++result.names;
        result.highest = std::max(result.highest, serial);
        const auto name = ProjectName::parse(raw);
        if (!name) {
            illegal.add(raw);
            return;
        }
        missing.erase(name->text());
        list.add(*name, raw, serial);
    });
    if (Done read = read_list(tree, staged, reader); !read) return std::move(read).failure();
    if (result.names == 0) return Failure{Fault::corrupt, "the master's list of projects is empty"};
    for (const std::string& raw : illegal.names()) state.skip(raw, {}, no_legal_name);
    Comparison(state, filter, began, keep_deleted, result).run(list);
    for (const std::string& name : missing)
        log.warning(fmt::format(
            "filtered_name_missing name={} cause=\"the master has no such project\"", name));
    return result;
}

std::vector<ProjectName> take_unwanted(State& state, const Filter& filter, Time now) {
    std::vector<ProjectName> blocked;
    Shown shown(state);
    while (const ListedProject* ours = shown.next()) {
        const auto name = ProjectName::parse(ours->name);
        if (!name || filter.wants(*name)) continue;
        state.enqueue(*name, ours->display, Serial{}, Loss::project, now, true);
        state.note_candidate(*name, true);
        if (filter.blocks_by_name(*name)) blocked.push_back(*name);
    }
    return blocked;
}

}  // namespace pep381d
