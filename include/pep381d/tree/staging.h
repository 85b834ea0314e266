// Where bytes arrive: every file is written into staging/ under its digest, hashed on the way, and
// only a whole and right one is handed on. Used on the loop's thread alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

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

struct Staged {
    std::string path;  // in the tree
    std::int64_t size = 0;
};

class Staging;

// One file on its way in. Dropped before finish() succeeded, it leaves nothing behind.
class Arrival {
  public:
    Arrival(Staging& staging, std::string path, Expected expected);
    ~Arrival();
    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;

    // Fails with Fault::corrupt as soon as there are more bytes than expected, Fault::local where
    // the disk fails.
    Done write(std::string_view bytes);
    // Checks size and digest. Fault::corrupt says what came instead.
    Outcome<Staged> finish();
    std::int64_t size() const { return size_; }

  private:
    Done spill();

    Staging& staging_;
    std::string path_;
    Expected expected_;
    std::optional<Hasher> hasher_;
    std::string buffer_;  // small files are written with one call
    Descriptor file_;
    std::int64_t size_ = 0;
    bool done_ = false;
};

// The file at this path of the tree is whole and right, by its digest.
bool lies_whole(FileTree& tree, const std::string& path, const Expected& expected);

class Staging {
  public:
    // Notes what an earlier run left there. Throws Fatal(5) where staging/ cannot be read.
    explicit Staging(FileTree& tree);

    // The path of a file of an earlier run with this digest, if it is whole: hashed now, handed out
    // once.
    std::optional<std::string> left_over(const Expected& expected);
    // A path in staging/ that nothing has: `DIGEST.NUMBER`, where there is a digest.
    std::string new_path(const Expected& expected);
    // Removes what is left over: after a pass, nothing of earlier runs is left.
    Done sweep();

    FileTree& tree() { return tree_; }

  private:
    FileTree& tree_;
    std::unordered_multimap<std::string, std::string> left_;  // names, by digest
    unsigned long long next_ = 0;
};

}  // namespace pep381d
