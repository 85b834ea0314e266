// A file system in memory that knows what of it a power cut would leave: what every program sees,
// and what has been flushed, with all that happened since.
//
// Directories are made as they are needed, and go with what was last removed from them. One thread
// at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

class Volume {
  public:
    struct Write {
        std::size_t at;
        std::string bytes;
        bool truncates;  // to `at`
    };
    struct File {
        std::string bytes;
        std::int64_t mtime = 0;
        std::string durable;
        std::vector<Write> unflushed;
        bool cached = false;  // only memory has `bytes`, and nothing will write them any more
    };
    using Node = std::shared_ptr<File>;

    Volume() = default;
    Volume(const Volume& other);
    Volume& operator=(Volume other) noexcept;
    Volume(Volume&&) noexcept = default;
    ~Volume() = default;

    const std::map<std::string, Node>& names() const { return now_.names; }
    const std::set<std::string>& directories() const { return now_.directories; }
    Node find(const std::string& path) const;
    bool is_directory(const std::string& path) const;

    Node create(const std::string& path);
    void make_directory(const std::string& path);
    // Of a file or of a directory.
    void rename(const std::string& from, const std::string& to);
    void link(const std::string& from, const std::string& to);
    void remove(const std::string& path);
    void remove_directory(const std::string& path);  // an empty one
    static void write(File& file, std::size_t at, std::string_view bytes);
    static void truncate(File& file, std::size_t size);

    // All is durable.
    void flush();
    // The file and its name are; or that it has none.
    void flush(const Node& file);
    void flush_removal(const std::string& path);
    // A flush has failed, and the bytes that it should have written are gone: zeros instead.
    // `cached`: which nobody sees who reads what memory still has.
    void lose(bool cached);
    static void lose(File& file, bool cached);
    // Memory forgets what the disk should have. False where that changes nothing.
    bool drop_cache();
    static bool drop_cache(File& file);

    // What a power cut may take. The number of an operation, or of a file and a write to it.
    enum class Damage { nothing, everything, operation, old, cut, zeros, one_write, torn_write };
    struct Loss {
        Damage damage = Damage::nothing;
        std::size_t number = 0;
        std::size_t write = 0;
    };
    // Each single thing that was not flushed. `by_write`: of the files each write by itself, else
    // the content as a whole.
    std::vector<Loss> losses(bool by_write) const;
    // The disk that is found afterwards.
    Volume after(const Loss& loss) const;
    std::string describe(const Loss& loss) const;

  private:
    struct Change {
        enum class Kind { name, rename, move, remove, directory, no_directory } kind;
        std::string from, to;  // `to` alone, but for a rename or a move
        Node file;
    };
    struct Names {
        std::map<std::string, Node> names;
        std::set<std::string> directories;
        void apply(const Change& change);
        void move(const std::string& from, const std::string& to);
        void forget_directories(const std::string& path);
    };
    Names names_after(const Loss& loss) const;
    void change(Change change);
    void make_directories(const std::string& path);
    std::vector<std::pair<std::string, Node>> dirty() const;
    static std::string damaged(const File& file, const Loss& loss);
    static std::string when_flushed(const File& file);
    static void flush(File& file);

    Names now_;
    Names durable_;                // at the last flush
    std::vector<Change> changes_;  // since
};

}  // namespace faults
