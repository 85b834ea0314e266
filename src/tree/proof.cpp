#include "pep381d/tree/proof.h"

#include <algorithm>
#include <array>
#include <limits>

namespace pep381d {

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

Proof::Proof(FileTree& tree, Descriptor file, std::int64_t length, const Expected& expected)
    : tree_(tree),
      expected_(expected),
      hasher_(expected.digest->algorithm),
      file_(std::move(file)),
      length_(length) {}

Proof::Proof(FileTree& tree, const std::string& path, const Expected& expected)
    : Proof(tree, Descriptor(), std::numeric_limits<std::int64_t>::max(), expected) {
    auto file = tree.open_from_disk(path);
    if (file)
        file_ = std::move(file).value();
    else
        failure_ = std::move(file).failure();
}

std::size_t Proof::go_on(std::size_t most) {
    std::array<char, 128 * 1024> buffer;
    std::size_t done = 0;
    while (file_ && done < most) {
        const auto left = static_cast<std::size_t>(length_ - size_);
        const std::size_t wanted = std::min({buffer.size(), most - done, left});
        const auto got = tree_.read(file_, buffer.data(), wanted);
        if (got) hasher_.update({buffer.data(), got.value()});
        const std::size_t bytes = got ? got.value() : 0;
        done += bytes;
        size_ += static_cast<std::int64_t>(bytes);
        too_long_ = expected_.size && size_ > *expected_.size;
        if (!got) failure_ = got.failure();
        if (bytes < wanted || size_ == length_ || too_long_) file_ = Descriptor();
    }
    return done;
}

bool Proof::whole() {
    return may_go_on() && (!expected_.size || size_ == *expected_.size) &&
           hasher_.finish() == expected_.digest->bytes;
}

Outcome<Digest> digest_of(FileTree& tree, const std::string& path) {
    Proof proof(tree, path, {Digest{Algorithm::sha256, {}}, {}, {}});
    while (!proof.ended()) (void)proof.go_on(std::numeric_limits<std::size_t>::max());
    if (proof.failure()) return *proof.failure();
    return Digest{Algorithm::sha256, proof.hasher().finish()};
}

Outcome<bool> lies_whole(FileTree& tree, const std::string& path, const Expected& expected) {
    if (!expected.digest) return false;
    Proof proof(tree, path, expected);
    while (!proof.ended()) (void)proof.go_on(std::numeric_limits<std::size_t>::max());
    if (proof.failure()) return *proof.failure();
    return proof.whole();
}

}  // namespace pep381d
