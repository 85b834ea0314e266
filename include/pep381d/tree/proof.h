// Whether a file that lies in the tree is what it should be: its bytes are hashed again, a piece at
// a time, because the loop cannot stand still for the ten seconds that ten gigabytes take. Thread
// rule: any one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "pep381d/base/descriptor.h"
#include "pep381d/base/digest.h"
#include "pep381d/base/outcome.h"
#include "pep381d/model/project_page.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// What a file must be to be published.
struct Expected {
    std::optional<Digest> digest;
    std::optional<std::int64_t> size;
    std::optional<std::int64_t> mtime;  // seconds; given to the file when it is whole
};

Expected expected_of(const File& file, bool metadata);

class Proof {
  public:
    // Of what an earlier run has left, as the disk has it. `expected` must have a digest.
    Proof(FileTree& tree, const std::string& path, const Expected& expected);
    // Of a file that was opened and is so long: what is added meanwhile is not read.
    Proof(FileTree& tree, Descriptor file, std::int64_t length, const Expected& expected);

    // Hashes up to `most` bytes more; how many it were.
    std::size_t go_on(std::size_t most);
    // At the end of the file, or where it cannot be read, or is longer than expected.
    bool ended() const { return !file_; }

    // All following only once it has ended.
    // It is whole and right. Asked once: it uses the hasher up.
    bool whole();
    // It may be the beginning of what is expected: `size()` bytes, of which hasher() knows.
    bool may_go_on() const { return !failure_ && !too_long_; }
    // Why it could not be read, or not to its end.
    const std::optional<Failure>& failure() const { return failure_; }
    std::int64_t size() const { return size_; }
    Hasher hasher() { return std::move(hasher_); }

  private:
    FileTree& tree_;
    Expected expected_;
    Hasher hasher_;
    Descriptor file_;
    std::int64_t length_;
    std::int64_t size_ = 0;
    bool too_long_ = false;
    std::optional<Failure> failure_;
};

// Its SHA-256, as the disk has it.
Outcome<Digest> digest_of(FileTree& tree, const std::string& path);
// The file at this path of the tree is whole and right, by its digest. Fails where it cannot be
// read.
Outcome<bool> lies_whole(FileTree& tree, const std::string& path, const Expected& expected);

}  // namespace pep381d
