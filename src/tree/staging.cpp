#include "pep381d/tree/staging.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

// Files up to this size are gathered in memory and written at once: three system calls instead of
// many.
constexpr std::size_t gathered = 64 * 1024;
// From this size on, write-back starts as soon as the file has arrived, so that a flush finds
// little left to do; for smaller ones the call costs more than it spares.
constexpr std::int64_t large = 256 * 1024;

}  // namespace

Expected expected_of(const File& file, bool metadata) {
    Expected expected;
    if (metadata) {
        if (!file.core_metadata.sha256.empty())
            expected.digest = Digest{Algorithm::sha256, file.core_metadata.sha256};
    } else {
        if (!file.digests.empty()) expected.digest = file.digests.front();
        expected.size = file.size;
    }
    if (file.upload_time) expected.mtime = *file.upload_time / 1'000'000;
    return expected;
}

Arrival::Arrival(Staging& staging, std::string path, Expected expected)
    : staging_(staging), path_(std::move(path)), expected_(std::move(expected)) {
    if (expected_.digest) hasher_.emplace(expected_.digest->algorithm);
}

Arrival::~Arrival() {
    if (done_) return;
    if (file_) {
        file_ = Descriptor();
        (void)staging_.tree().remove(path_).ok();
    }
}

Done Arrival::spill() {
    if (!file_) {
        auto file = staging_.tree().create(path_);
        if (!file) return std::move(file).failure();
        file_ = std::move(file).value();
    }
    Done written = staging_.tree().write(file_, buffer_);
    buffer_.clear();
    return written;
}

Done Arrival::write(std::string_view bytes) {
    size_ += static_cast<std::int64_t>(bytes.size());
    if (expected_.size && size_ > *expected_.size)
        return Failure{
            Fault::corrupt,
            fmt::format("longer than the {} bytes that the page announces", *expected_.size)};
    if (hasher_) hasher_->update(bytes);
    buffer_ += bytes;
    if (buffer_.size() < gathered) return Nothing{};
    return spill();
}

Outcome<Staged> Arrival::finish() {
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
    if (!buffer_.empty() || !file_)
        if (Done spilled = spill(); !spilled) return std::move(spilled).failure();
    if (Done ended = staging_.tree().finish(std::move(file_), expected_.mtime, size_ >= large);
        !ended)
        return std::move(ended).failure();
    done_ = true;
    return Staged{path_, size_};
}

bool lies_whole(FileTree& tree, const std::string& path, const Expected& expected) {
    if (!expected.digest) return false;
    auto file = tree.open(path);
    if (!file) return false;
    Hasher hasher(expected.digest->algorithm);
    std::array<char, 128 * 1024> buffer;
    for (;;) {
        const auto got = tree.read(file.value(), buffer.data(), buffer.size());
        if (!got) return false;
        if (got.value() == 0) return hasher.finish() == expected.digest->bytes;
        hasher.update({buffer.data(), got.value()});
    }
}

Staging::Staging(FileTree& tree) : tree_(tree) {
    auto names = tree_.list(layout::staging);
    if (!names) throw Fatal(5, names.failure().what);
    for (const std::string& name : names.value()) {
        // Only what lies under its digest can be told to be whole.
        const auto dot = std::min(name.find('.'), name.size());
        const std::string digest = name.substr(0, dot);
        if (from_hex(digest) && digest.size() >= 2 * digest_size(Algorithm::md5)) {
            left_.emplace(digest, name);
            next_ = std::max(
                next_, std::strtoull(name.c_str() + std::min(dot + 1, name.size()), nullptr, 10));
        } else if (Done removed = tree_.remove(layout::staged(name)); !removed) {
            throw Fatal(5, removed.failure().what);
        }
    }
}

std::optional<std::string> Staging::left_over(const Expected& expected) {
    if (left_.empty() || !expected.digest) return std::nullopt;
    const auto [first, last] = left_.equal_range(to_hex(expected.digest->bytes));
    for (auto left = first; left != last; ++left) {
        std::string path = layout::staged(left->second);
        if (!lies_whole(tree_, path, expected)) continue;
        left_.erase(left);
        return path;
    }
    return std::nullopt;
}

// The number keeps apart the same bytes for several files: all wheels of a release may have the
// same metadata. It goes on from what an earlier run left.
std::string Staging::new_path(const Expected& expected) {
    const std::string base = expected.digest ? to_hex(expected.digest->bytes) : "arrival";
    return layout::staged(fmt::format("{}.{}", base, ++next_));
}

Done Staging::sweep() {
    for (const auto& [digest, name] : left_)
        if (Done removed = tree_.remove(layout::staged(name)); !removed) return removed;
    left_.clear();
    return Nothing{};
}

}  // namespace pep381d
