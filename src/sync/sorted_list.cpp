#include "pep381d/sync/sorted_list.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

namespace {

// A record: serial, length of the name, length of the display name (0: as the name), both texts.
constexpr std::size_t head_size = sizeof(std::int64_t) + 2;
constexpr std::size_t longest_record = head_size + 2 * 255;
constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::size_t prefix_size = sizeof(std::uint64_t);

std::size_t byte_at(const char* record, std::size_t at) {
    return static_cast<unsigned char>(record[at]);
}

std::string_view name_of(const char* record) {
    return {record + head_size, byte_at(record, head_size - 2)};
}

std::size_t size_of(const char* record) {
    return head_size + byte_at(record, head_size - 2) + byte_at(record, head_size - 1);
}

void read_record(const char* record, ListedProject& project) {
    std::memcpy(&project.serial.value, record, sizeof project.serial.value);
    project.name = name_of(record);
    const std::size_t display = byte_at(record, head_size - 1);
    project.display = display == 0 ? std::string_view(project.name)
                                   : std::string_view(record + size_of(record) - display, display);
}

// Orders as the whole name does where it differs; shorter names come first, as they should.
std::uint64_t prefix_of(std::string_view name) {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < prefix_size; ++i)
        prefix = prefix << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
    return prefix;
}

}  // namespace

// Most comparisons end at the prefix, and do not go to the text.
struct SortedList::Entry {
    std::uint64_t prefix;
    std::uint32_t at;  // of the record in text_
};

struct SortedList::Run {
    Descriptor file;
    std::string buffer;
    std::size_t at = 0;  // of the current record in the buffer
    bool ended = false;

    const char* record() const { return buffer.data() + at; }
    // Makes the current record whole in memory; false where there is none.
    bool load(FileTree& tree) {
        if (!ended && buffer.size() - at < longest_record) {
            buffer.erase(0, at);
            at = 0;
            const std::size_t kept = buffer.size();
            buffer.resize(kept + read_bytes);
            const std::size_t got = must(tree.read(file, buffer.data() + kept, read_bytes));
            buffer.resize(kept + got);
            ended = got < read_bytes;
        }
        return at < buffer.size();
    }
};

SortedList::SortedList(FileTree& tree, std::size_t run_bytes)
    : tree_(tree), run_bytes_(run_bytes) {}

auto SortedList::later() const {
    return [this](std::size_t a, std::size_t b) {
        return name_of(runs_[a].record()) > name_of(runs_[b].record());
    };
}

SortedList::~SortedList() {
    for (std::size_t run = 0; run < runs_.size(); ++run) (void)tree_.remove(path_of(run)).ok();
}

std::string SortedList::path_of(std::size_t run) const {
    return layout::staged(fmt::format("list-run-{}", run));
}

void SortedList::add(const ProjectName& name, std::string_view display, Serial serial) {
    if (text_.size() + longest_record > run_bytes_ ||
        (entries_.size() + 1) * sizeof(Entry) > run_bytes_)
        spill();
    if (text_.capacity() < run_bytes_) text_.reserve(run_bytes_);
    const std::string_view shown = display == name.text() ? std::string_view() : display;
    entries_.push_back({prefix_of(name.text()), static_cast<std::uint32_t>(text_.size())});
    text_.append(reinterpret_cast<const char*>(&serial.value), sizeof serial.value);
    text_ += static_cast<char>(name.text().size());
    text_ += static_cast<char>(shown.size());
    text_ += name.text();
    text_ += shown;
}

void SortedList::sort() {
    const auto rest = [this](const Entry& entry) {
        const std::string_view name = name_of(text_.data() + entry.at);
        return name.substr(std::min(prefix_size, name.size()));
    };
    std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
        return a.prefix != b.prefix ? a.prefix < b.prefix : rest(a) < rest(b);
    });
}

void SortedList::spill() {
    sort();
    Descriptor file = must(tree_.create(path_of(runs_.size())));
    runs_.emplace_back();
    std::string piece;
    for (const Entry& entry : entries_) {
        const char* record = text_.data() + entry.at;
        piece.append(record, size_of(record));
        if (piece.size() < read_bytes) continue;
        must(tree_.write(file, piece));
        piece.clear();
    }
    must(tree_.write(file, piece));
    must(tree_.finish(std::move(file), std::nullopt, false));
    entries_.clear();
    text_.clear();
}

// What fits into one run stays in memory.
void SortedList::begin_merge() {
    merging_ = true;
    if (runs_.empty()) {
        sort();
    } else {
        spill();
        entries_ = {};
        text_ = {};
    }
    for (std::size_t run = 0; run < runs_.size(); ++run) {
        runs_[run].file = must(tree_.open(path_of(run)));
        if (runs_[run].load(tree_)) order_.push_back(run);
    }
    std::make_heap(order_.begin(), order_.end(), later());
    ahead_ = take(coming_);
}

bool SortedList::take(ListedProject& project) {
    if (runs_.empty()) {
        if (taken_ == entries_.size()) return false;
        read_record(text_.data() + entries_[taken_++].at, project);
        return true;
    }
    if (order_.empty()) return false;
    std::pop_heap(order_.begin(), order_.end(), later());
    Run& run = runs_[order_.back()];
    read_record(run.record(), project);
    run.at += size_of(run.record());
    if (run.load(tree_))
        std::push_heap(order_.begin(), order_.end(), later());
    else
        order_.pop_back();
    return true;
}

bool SortedList::next(ListedProject& project) {
    if (!merging_) begin_merge();
    if (!ahead_) return false;
    std::swap(project, coming_);
    while ((ahead_ = take(coming_)) && coming_.name == project.name)
        if (coming_.serial > project.serial) std::swap(project, coming_);
    return true;
}

}  // namespace pep381d
