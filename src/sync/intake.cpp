#include "pep381d/sync/intake.h"

#include <algorithm>
#include <array>
#include <random>
#include <unordered_set>

#include <fmt/format.h>

#include "pep381d/master/xmlrpc.h"

namespace pep381d {

namespace {

// The published projects as the list is compared with them: 16 bytes each. The hash is seeded, so
// that nobody can choose names that collide.
class Ours {
  public:
    explicit Ours(State& state) : seed_(std::random_device{}()) {
        entries_.reserve(static_cast<std::size_t>(state.totals().projects) + 1);
        state.for_each_project([&](std::string_view name, const Published& project) {
            entries_.emplace_back(hash(name), project.serial.value, hash(project.display));
        });
        std::sort(entries_.begin(), entries_.end(),
                  [](const Entry& a, const Entry& b) { return a.key < b.key; });
    }

    struct Seen {
        Serial serial;
        bool same_display;
    };
    // Our serial, the project marked as seen; nothing for one that we do not publish.
    std::optional<Seen> see(std::string_view name, std::string_view display) {
        Entry* entry = find(name);
        if (entry == nullptr) return std::nullopt;
        entry->seen = 1;
        return Seen{Serial{static_cast<std::int64_t>(entry->serial)},
                    entry->display == (hash(display) & 0xffff)};
    }
    bool seen(std::string_view name) {
        const Entry* entry = find(name);
        return entry != nullptr && entry->seen == 1;
    }

  private:
    struct Entry {
        Entry(std::uint64_t name, std::int64_t shown, std::uint64_t as)
            : key(name),
              serial(static_cast<std::uint64_t>(shown) & 0x7fff'ffff'ffff),
              display(as & 0xffff),
              seen(0) {}
        std::uint64_t key;
        std::uint64_t serial : 47;
        std::uint64_t display : 16;
        std::uint64_t seen : 1;
    };
    static_assert(sizeof(Entry) == 16);

    std::uint64_t hash(std::string_view name) const {
        std::uint64_t value = seed_ ^ 0xcbf29ce484222325ULL;
        for (const char c : name) {
            value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
            value ^= value >> 29;
        }
        return value;
    }
    Entry* find(std::string_view name) {
        const std::uint64_t key = hash(name);
        const auto found =
            std::lower_bound(entries_.begin(), entries_.end(), key,
                             [](const Entry& entry, std::uint64_t k) { return entry.key < k; });
        return found != entries_.end() && found->key == key ? &*found : nullptr;
    }

    std::uint64_t seed_;
    std::vector<Entry> entries_;
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

void queue_absent(State& state, Ours& ours, const Filter& filter, Time began, ListResult& result) {
    std::vector<std::pair<ProjectName, std::string>> absent;
    state.for_each_project([&](std::string_view name, const Published& project) {
        // A list may be an hour old: it cannot know of what came after it.
        if (ours.seen(name) || project.serial > result.highest) return;
        const auto parsed = ProjectName::parse(name);
        if (parsed && filter.wants(*parsed)) absent.emplace_back(*parsed, project.display);
    });
    for (const auto& [name, display] : absent) {
        state.enqueue(name, display, Serial{}, Loss::nothing, began, true);
        state.note_absent(name, began);
        state.note_candidate(name, true);
    }
    result.absent = static_cast<std::int64_t>(absent.size());
}

}  // namespace

void take_events(State& state, const Filter& filter, const std::vector<Event>& events, Time began,
                 Serial cursor) {
    const auto take = [&](std::string_view raw, Serial serial, Loss loss) {
        const auto name = ProjectName::parse(raw);
        if (!name) {
            state.skip(raw, {}, "no legal project name");
            return;
        }
        const auto ours = state.published(*name);
        // A serial that the journal has not reached proves nothing: the page may have lied.
        const bool shown = ours && ours->page && ours->serial >= serial && ours->serial <= cursor;
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
    ListResult result;
    Ours ours(state);
    const Serial reached{state.number(Note::cursor).value_or(0)};
    auto missing = filter.named();
    const auto lacked = state.absent();
    const std::unordered_set<std::string> absent(lacked.begin(), lacked.end());
    ListReader reader([&](std::string_view raw, Serial serial) {
        ++result.names;
        result.highest = std::max(result.highest, serial);
        const auto name = ProjectName::parse(raw);
        if (!name) {
            state.skip(raw, {}, "no legal project name");
            return;
        }
        missing.erase(name->text());
        if (absent.contains(name->text())) state.note_listed(name->text());
        const auto shown = ours.see(name->text(), raw);
        if (shown && !shown->same_display) state.rename(*name, raw);
        const bool known = shown && shown->serial >= serial && shown->serial <= reached;
        if (known || !filter.wants(*name)) return;
        state.enqueue(*name, raw, serial, Loss::nothing, began, false);
        ++result.queued;
    });
    if (Done read = read_list(tree, staged, reader); !read) return std::move(read).failure();
    if (result.names == 0) return Failure{Fault::corrupt, "the master's list of projects is empty"};
    if (!keep_deleted) queue_absent(state, ours, filter, began, result);
    for (const std::string& name : missing)
        log.warning(fmt::format(
            "filtered_name_missing name={} cause=\"the master has no such project\"", name));
    return result;
}

void take_unwanted(State& state, const Filter& filter, Time now) {
    std::vector<std::pair<ProjectName, std::string>> unwanted;
    state.for_each_project([&](std::string_view name, const Published& project) {
        const auto parsed = ProjectName::parse(name);
        if (parsed && !filter.wants(*parsed)) unwanted.emplace_back(*parsed, project.display);
    });
    for (const auto& [name, display] : unwanted) {
        state.enqueue(name, display, Serial{}, Loss::project, now, true);
        state.note_candidate(name, true);
    }
}

}  // namespace pep381d
