// Where bytes arrive: every file is written into staging/ under its digest, hashed on the way, and
// only a whole and right one is handed on. Used on the loop's thread alone.
//
// DIGEST.NUMBER is whole as soon as its last byte was written; DIGEST.NUMBER.part is the beginning
// of a large file, until it is whole. A part outlives a transfer that breaks off, and this process:
// the next transfer goes on behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pep381d/base/digest.h"
#include "pep381d/base/outcome.h"
#include "pep381d/tree/file_tree.h"
#include "pep381d/tree/proof.h"

namespace pep381d {

// A digest that nobody can make other bytes for.
bool is_strong(const Expected& expected);

struct Staged {
    std::string path;  // in the tree
    std::int64_t size = 0;
    std::optional<std::string> unwritten{};  // the bytes that are still to be written there
};

class Staging;

// One file on its way in. Dropped before finish() succeeded, it leaves nothing behind, or the part
// that has arrived.
class Arrival {
  public:
    Arrival(Staging& staging, std::string path, Expected expected);
    // Goes on behind a part, whose bytes `proof` has hashed.
    Arrival(Staging& staging, std::string path, Expected expected, Proof proof);
    ~Arrival();
    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;

    // Fails with Fault::corrupt as soon as there are more bytes than expected, Fault::local where
    // the disk fails.
    Done write(std::string_view bytes);
    // Checks size and digest. Fault::corrupt says what came instead.
    Outcome<Staged> finish();
    // The same, but a small file is left to be written by who takes it.
    Outcome<Staged> finish_unwritten();
    // What follows begins at the first byte of the file again.
    void restart();
    // What has arrived is wrong: no part of it is kept.
    void spoil() { spoilt_ = true; }
    std::int64_t size() const { return size_; }

  private:
    Done check();
    Done spill(std::string_view bytes);

    Staging& staging_;
    std::string path_;
    Expected expected_;
    std::optional<Hasher> hasher_;
    std::string buffer_;  // small files are written with one call
    Descriptor file_;
    std::int64_t size_ = 0;
    bool on_disk_ = false;  // there is a file at path_
    bool anew_ = true;      // what lies there is not to be continued
    bool spoilt_ = false;
    bool done_ = false;
};

class Staging {
  public:
    // Notes what an earlier run left there. Throws Fatal(5) where staging/ cannot be read.
    explicit Staging(FileTree& tree);

    // The path of what was left here under this digest: something that should be the whole file, or
    // a part of it. Handed out once, and not yet hashed: who takes it uses it or removes it.
    std::optional<std::string> take_whole(const Expected& expected);
    std::optional<std::string> take_part(const Expected& expected);
    // Notes a part that a transfer left, or a whole file that nobody takes now.
    void keep(const std::string& path);
    // A path in staging/ that nothing has: `DIGEST.NUMBER`, where there is a digest.
    std::string unused_path(const Expected& expected);
    // The same for a file on its way: `.part` behind it where it is one that can be continued.
    std::string new_path(const Expected& expected);
    // Removes what is left over: after a pass, nothing of earlier runs is left, nor of parts.
    Done sweep();
    bool swept() const { return left_.empty(); }

    FileTree& tree() { return tree_; }

  private:
    struct Left {
        std::string path;
        bool part;
        bool kept;               // not of an earlier run
        unsigned long long age;  // the smaller, the older
    };

    std::optional<std::string> take(const Expected& expected, bool part);
    void note(const std::string& path, bool kept);

    FileTree& tree_;
    std::unordered_multimap<std::string, Left> left_;  // by digest
    unsigned long long next_ = 0;
    unsigned long long age_ = 0;
};

}  // namespace pep381d
