// One project's pages and files in the tree against what the state says of it, a piece at a time.
//
// A page that differs from the state is no fault while its project is queued and the page is whole,
// not older, and links only to what is there: a kill came between its publication and its record
// (design 2.4).
//
// Thread rule: any one thread at a time; many may run beside one another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pep381d/base/signing_keys.h"
#include "pep381d/model/copied_page.h"
#include "pep381d/model/project_page.h"
#include "pep381d/sync/finding.h"
#include "pep381d/tree/file_tree.h"
#include "pep381d/tree/proof.h"

namespace pep381d {

// What there is of each page.
struct Formats {
    bool html = true, json = true;
    bool settled = true;  // false: they are being changed, and a page in either may be missing
    std::shared_ptr<const ServerKeys> keys;  // what we sign with; null: nothing
    bool copied = false;  // pages in HTML may be the master's own, signatures too
};

// A project as the state has it.
struct Subject {
    ProjectName name;
    std::int64_t id = 0;              // 0: unknown to the state
    std::optional<ProjectPage> page;  // nothing likewise
    bool shown = false;               // its page is published
    bool waiting = false;  // queued or to be removed: its page may be newer than the state
    std::optional<CopiedPage> copied;  // its HTML is this one
};

// Which part of it, and how.
struct Scope {
    Formats formats;
    bool hash = true;    // else sizes and links only
    unsigned owner = 0;  // of the tree
    bool pages = true;
    std::size_t first_file = 0, last_file = static_cast<std::size_t>(-1);  // behind the last
    std::set<std::string> only;  // these paths of the tree; empty: all
    bool again = false;          // this is the second look
};

class Examination {
  public:
    Examination(FileTree& tree, std::shared_ptr<const Subject> subject, Scope scope);

    // Goes on until about `most` bytes are read; how many it were, what else was done counted in.
    std::size_t go_on(std::size_t most);
    bool ended() const {
        return !proof_ && next_page_ == pages_.size() && next_signature_ == signatures_.size() &&
               next_item_ == items_.size();
    }
    const std::shared_ptr<const Subject>& subject() const { return subject_; }
    const Scope& scope() const { return scope_; }
    std::int64_t bytes() const { return bytes_; }  // hashed so far
    // Once it has ended.
    std::vector<Finding>& findings() { return findings_; }

  private:
    struct Page {
        std::string path;
        bool html;
        bool wanted;
    };
    struct Item {
        std::string path;
        Expected expected;
        std::string linked_from;  // the page, where it is not the state that says so
    };

    struct Signature {
        std::string path;
        const PublicKey* key;  // null: it is the master's
    };

    void add_item(Item item);
    void add_link(Item item);
    std::size_t look_at(const Page& page);
    std::size_t look_at(const Signature& signature);
    void look_at_other(const Page& page, const std::string& bytes, std::int64_t size);
    void add_links(const Page& page, const std::string& bytes);
    bool is_as_known(const Page& page, const std::string& bytes);
    std::string wrong_page(const Page& page, const std::string& bytes, std::int64_t size);
    const std::string& made(const Page& page);
    std::size_t longest(const Page& page);
    const std::string& html();
    void take_right_html(const Page& page, const FileLook& look);
    std::size_t begin(const Item& item);
    bool is_right(const Outcome<std::optional<FileLook>>& look, const Item& item);
    void judge(const Item& item);
    bool is_usable(const FileLook& look, const std::string& path, const std::string& linked_from);
    void add(Flaw flaw, const std::string& path, std::string cause);
    void add(Flaw flaw, const Item& item, std::string cause);

    FileTree& tree_;
    std::shared_ptr<const Subject> subject_;
    Scope scope_;
    std::vector<Page> pages_;
    std::vector<Signature> signatures_;  // of the page in HTML
    std::vector<Item> items_;
    // Paths and digests of items that pages brought.
    std::set<std::pair<std::string, std::string>> linked_;
    std::size_t next_page_ = 0, next_signature_ = 0, next_item_ = 0;
    std::optional<Proof> proof_;
    std::string html_, json_;       // as the state makes them
    std::uint64_t right_html_ = 0;  // the inode of the page in HTML; 0: not known to be right
    std::int64_t bytes_ = 0;
    std::vector<Finding> findings_;
};

// All of a file of the tree, which is known to be one, but of one that has more than `most` bytes
// only `most` + 1: it may be any file, and a sparse one of any length.
Outcome<std::string> read_whole(FileTree& tree, const std::string& path, std::size_t most);

}  // namespace pep381d
