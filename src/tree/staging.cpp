#include "pep381d/tree/staging.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

// Files up to this size are gathered in memory and written at once: three system calls instead of
// many.
constexpr std::size_t gathered = 64 * 1024;
// Files up to this size may be left to another thread in memory: of those that wait for it, 8 MiB
// at most.
constexpr std::int64_t small = 8 * 1024;
// From this size on, write-back starts as soon as the file has arrived, so that a flush finds
// little left to do; for smaller ones the call costs more than it spares.
constexpr std::int64_t large = 256 * 1024;
// From this size on a part is worth the hashing and the request that it takes to go on behind it.
constexpr std::int64_t least_part = 1024 * 1024;
// Files and parts that nobody wants any more are found when all is done, which with PyPI may never
// be: the oldest go before.
constexpr std::ptrdiff_t parts_most = 64, whole_most = 1000;

constexpr std::string_view part_suffix = ".part";
// Of what has no digest.
constexpr const char* unnamed = "arrival";

std::vector<std::string> names_in(FileTree& tree, const std::string& directory) {
    std::vector<std::string> names;
    auto listing = tree.list(directory);
    if (!listing) give_up(listing.failure());
    for (;;) {
        auto entry = listing.value()->next();
        if (!entry) give_up(entry.failure());
        if (!entry.value()) return names;
        names.push_back(std::move(entry.value()->name));
    }
}

bool is_part(const std::string& path) {
    return path.ends_with(part_suffix);
}

// The size must be known too: without it nobody could tell whether anything is missing.
bool may_be_continued(const Expected& expected) {
    return is_strong(expected) && expected.size.value_or(0) > least_part;
}

}  // namespace

bool is_strong(const Expected& expected) {
    return expected.digest && expected.digest->algorithm >= Algorithm::sha256;
}

Arrival::Arrival(Staging& staging, std::string path, Expected expected)
    : staging_(staging), path_(std::move(path)), expected_(expected) {
    if (expected_.digest) hasher_.emplace(expected_.digest->algorithm);
}

Arrival::Arrival(Staging& staging, std::string path, Expected expected, Proof proof)
    : staging_(staging),
      path_(std::move(path)),
      expected_(expected),
      hasher_(proof.hasher()),
      size_(proof.size()),
      on_disk_(true),
      anew_(false),
      spoilt_(!proof.may_go_on()) {}

Arrival::~Arrival() {
    if (done_ || !on_disk_) return;
    file_ = Descriptor();
    const auto written = size_ - static_cast<std::int64_t>(buffer_.size());
    if (is_part(path_) && !spoilt_ && written >= least_part)
        staging_.keep(path_);
    else
        (void)staging_.tree().remove(path_).ok();
}

void Arrival::restart() {
    file_ = Descriptor();
    buffer_.clear();
    size_ = 0;
    anew_ = true;
    if (expected_.digest) hasher_.emplace(expected_.digest->algorithm);
}

Done Arrival::spill(std::string_view bytes) {
    if (!file_) {
        auto file = anew_ ? staging_.tree().create(path_) : staging_.tree().append(path_);
        if (!file) return std::move(file).failure();
        file_ = std::move(file).value();
        on_disk_ = true;
    }
    return staging_.tree().write(file_, bytes);
}

Done Arrival::write(std::string_view bytes) {
    const auto more = static_cast<std::int64_t>(bytes.size());
    if (expected_.size && size_ + more > *expected_.size)
        return Failure{
            Fault::corrupt,
            fmt::format("longer than the {} bytes that the page announces", *expected_.size)};
    if (hasher_) hasher_->update(bytes);
    size_ += more;
    // Most files come in one piece.
    const bool all = size_ == expected_.size && size_ > small;
    if (buffer_.empty() && (bytes.size() >= gathered || all)) return spill(bytes);
    buffer_ += bytes;
    if (buffer_.size() < gathered) return Nothing{};
    Done spilled = spill(buffer_);
    buffer_.clear();
    return spilled;
}

Done Arrival::check() {
    if (expected_.size && size_ != *expected_.size)
        return Failure{Fault::corrupt,
                       fmt::format("{} bytes instead of the {} that the page announces", size_,
                                   *expected_.size)};
    if (hasher_) {
        const std::string digest = hasher_->finish();
        if (digest != expected_.digest->bytes)
            return Failure{
                Fault::corrupt,
                fmt::format("its {} is {} instead of {}", name_of(expected_.digest->algorithm),
                            to_hex(digest), to_hex(expected_.digest->bytes))};
    }
    return Nothing{};
}

Outcome<Staged> Arrival::finish_unwritten() {
    if (file_ || on_disk_ || size_ > small) return finish();
    if (Done right = check(); !right) return std::move(right).failure();
    done_ = true;
    return Staged{path_, size_, std::move(buffer_)};
}

Outcome<Staged> Arrival::finish() {
    if (Done right = check(); !right) return std::move(right).failure();
    if (!buffer_.empty() || !file_)
        if (Done spilled = spill(buffer_); !spilled) return std::move(spilled).failure();
    if (Done ended = staging_.tree().finish(std::move(file_), expected_.mtime, size_ >= large);
        !ended)
        return std::move(ended).failure();
    if (is_part(path_)) {
        // By link and removal, because renaming is the committer's. Between the two both lie there:
        // the whole one is found, and the other swept.
        const std::string part = std::exchange(path_, staging_.unused_path(expected_));
        if (Done named = staging_.tree().link(part, path_); !named)
            return std::move(named).failure();
        done_ = true;
        if (Done removed = staging_.tree().remove(part); !removed)
            return std::move(removed).failure();
    }
    done_ = true;
    return Staged{path_, size_};
}

Staging::Staging(FileTree& tree) : tree_(tree) {
    for (const std::string& name : names_in(tree_, layout::staging)) {
        // Only what lies under its digest can be told to be whole, or a part.
        const auto dot = std::min(name.find('.'), name.size());
        const std::string digest = name.substr(0, dot);
        if (from_hex(digest) && digest.size() >= 2 * digest_size(Algorithm::md5)) {
            note(layout::staged(name), false);
            next_ = std::max(
                next_, std::strtoull(name.c_str() + std::min(dot + 1, name.size()), nullptr, 10));
        } else {
            // Pages were staged in directories.
            Done removed = tree_.remove(layout::staged(name));
            if (!removed && removed.failure().fault == Fault::refused)
                removed = tree_.remove_directory(layout::staged(name));
            if (!removed) give_up(removed.failure());
        }
    }
}

void Staging::note(const std::string& path, bool kept) {
    const std::string name = path.substr(layout::staged("").size());
    left_.emplace(name.substr(0, name.find('.')), Left{path, is_part(path), kept, ++age_});
}

std::optional<std::string> Staging::take(const Expected& expected, bool part) {
    if (left_.empty() || !expected.digest) return std::nullopt;
    const auto [first, last] = left_.equal_range(to_hex(expected.digest->bytes));
    const auto found =
        std::find_if(first, last, [&](const auto& left) { return left.second.part == part; });
    if (found == last) return std::nullopt;
    std::string path = std::move(found->second.path);
    left_.erase(found);
    return path;
}

std::optional<std::string> Staging::take_whole(const Expected& expected) {
    return take(expected, false);
}

std::optional<std::string> Staging::take_part(const Expected& expected) {
    if (!may_be_continued(expected)) return std::nullopt;
    return take(expected, true);
}

void Staging::keep(const std::string& path) {
    if (path.starts_with(layout::staged(unnamed))) {
        (void)tree_.remove(path).ok();  // nobody would know it again
        return;
    }
    note(path, true);
    const bool part = is_part(path);
    const auto counts = [&](const auto& left) {
        return left.second.part == part && (part || left.second.kept);
    };
    if (std::count_if(left_.begin(), left_.end(), counts) <= (part ? parts_most : whole_most))
        return;
    const auto oldest =
        std::min_element(left_.begin(), left_.end(), [&](const auto& a, const auto& b) {
            return std::pair(!counts(a), a.second.age) < std::pair(!counts(b), b.second.age);
        });
    (void)tree_.remove(oldest->second.path).ok();
    left_.erase(oldest);
}

// The number keeps apart the same bytes for several files: all wheels of a release may have the
// same metadata. It goes on from what an earlier run left.
std::string Staging::unused_path(const Expected& expected) {
    const std::string base = expected.digest ? to_hex(expected.digest->bytes) : unnamed;
    return layout::staged(fmt::format("{}.{}", base, ++next_));
}

std::string Staging::new_path(const Expected& expected) {
    std::string path = unused_path(expected);
    if (may_be_continued(expected)) path += part_suffix;
    return path;
}

Done Staging::sweep() {
    for (const auto& [digest, left] : left_)
        if (Done removed = tree_.remove(left.path); !removed) return removed;
    left_.clear();
    return Nothing{};
}

}  // namespace pep381d
