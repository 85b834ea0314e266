#include "support/faults/memory_tree.h"

#include <algorithm>
#include <fcntl.h>
#include <set>

namespace faults {

using pep381d::Descriptor;
using pep381d::Done;
using pep381d::Entry;
using pep381d::Failure;
using pep381d::FileKind;
using pep381d::FileLook;
using pep381d::FileTree;
using pep381d::Listing;
using pep381d::Nothing;
using pep381d::Outcome;

namespace {

Failure failed(const std::string& path, const char* cause) {
    return {pep381d::Fault::local, "mirror/" + path + ": " + cause};
}

Failure failed(const std::string& path, Fault fault) {
    return failed(path, fault == Fault::full ? "No space left on device" : "Input/output error");
}

FileLook look_of(const Volume::Node& file) {
    FileLook look{static_cast<std::int64_t>(file->bytes.size()), file->mtime};
    look.inode = reinterpret_cast<std::uintptr_t>(file.get());
    return look;
}

class Names final : public Listing {
  public:
    Names(FileTree& tree, std::string path, std::vector<Entry> entries)
        : tree_(tree), path_(std::move(path)), entries_(std::move(entries)) {}
    Outcome<std::optional<Entry>> next() override {
        if (at_ == entries_.size()) return std::optional<Entry>{};
        return std::optional(entries_[at_++]);
    }

    Outcome<std::unique_ptr<Listing>> enter(const std::string& name) override {
        return tree_.list(path_ + "/" + name);
    }

  private:
    FileTree& tree_;
    std::string path_;
    std::vector<Entry> entries_;
    std::size_t at_ = 0;
};

}  // namespace

Descriptor MemoryTree::handle(Volume::Node file, std::size_t at) {
    Descriptor descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
    open_[descriptor.get()] = {std::move(file), at};
    return descriptor;
}

// A file where a directory is needed, or the other way round.
Done MemoryTree::room_for(const std::string& path) const {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
        if (volume_.find(path.substr(0, slash)))
            return Failure{pep381d::Fault::refused, "mirror/" + path + ": Not a directory"};
    if (volume_.is_directory(path))
        return Failure{pep381d::Fault::refused, "mirror/" + path + ": Is a directory"};
    return Nothing{};
}

Outcome<Descriptor> MemoryTree::create(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::create); fault != Fault::none)
        return failed(path, fault);
    return handle(volume_.create(path), 0);
}

Outcome<Descriptor> MemoryTree::append(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::append); fault != Fault::none)
        return failed(path, fault);
    const Volume::Node file = volume_.find(path);
    if (!file) return failed(path, "No such file or directory");
    return handle(file, file->bytes.size());
}

Done MemoryTree::write(const Descriptor& file, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    const Fault fault = fate_.next(Operation::write);
    if (fault == Fault::stop) return failed("staging", fault);
    Open& open = open_.at(file.get());
    if (fault != Fault::none) bytes = bytes.substr(0, bytes.size() / 2);
    Volume::write(*open.file, open.at, bytes);
    open.at += bytes.size();
    if (fault != Fault::none) return failed("staging", fault);
    return Nothing{};
}

Done MemoryTree::finish(Descriptor file, std::optional<std::int64_t> mtime, bool) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::finish); fault != Fault::none)
        return failed("staging", fault);
    if (mtime) open_.at(file.get()).file->mtime = *mtime;
    return Nothing{};
}

Done MemoryTree::make_directory(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::make_directory); fault != Fault::none)
        return failed(path, fault);
    if (volume_.is_directory(path)) return failed(path, "File exists");
    volume_.make_directory(path);
    return Nothing{};
}

Done MemoryTree::remove_directory(const std::string& path) {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : names_in(path)) {
        if (const Fault fault = fate_.next(Operation::remove); fault != Fault::none)
            return failed(path, fault);
        volume_.remove(path + "/" + name);
    }
    if (const Fault fault = fate_.next(Operation::remove_directory); fault != Fault::none)
        return failed(path, fault);
    volume_.remove_directory(path);
    return Nothing{};
}

Outcome<Descriptor> MemoryTree::open(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::open); fault != Fault::none)
        return failed(path, fault);
    const Volume::Node file = volume_.find(path);
    if (!file) return failed(path, "No such file or directory");
    return handle(file, 0);
}

Outcome<Descriptor> MemoryTree::open_from_disk(const std::string& path) {
    {
        const std::lock_guard lock(mutex_);
        if (const Volume::Node file = volume_.find(path)) (void)Volume::drop_cache(*file);
    }
    return open(path);
}

Outcome<std::size_t> MemoryTree::read(const Descriptor& file, char* buffer, std::size_t most) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::read); fault != Fault::none)
        return failed("staging", fault);
    Open& open = open_.at(file.get());
    const std::string_view rest = std::string_view(open.file->bytes).substr(open.at);
    const std::size_t size = std::min(most, rest.size());
    std::copy_n(rest.begin(), size, buffer);
    open.at += size;
    return size;
}

Outcome<std::optional<FileLook>> MemoryTree::look(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::look); fault != Fault::none)
        return failed(path, fault);
    const Volume::Node file = volume_.find(path);
    if (!file && volume_.is_directory(path))
        return std::optional(FileLook{0, 0, FileKind::directory, 0755});
    if (!file) return std::optional<FileLook>{};
    return std::optional(look_of(file));
}

Outcome<std::optional<FileLook>> MemoryTree::look(const Descriptor& file) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::look); fault != Fault::none)
        return failed("an open file", fault);
    return std::optional(look_of(open_.at(file.get()).file));
}

Outcome<std::unique_ptr<Listing>> MemoryTree::list(const std::string& directory) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::list); fault != Fault::none)
        return failed(directory, fault);
    std::vector<Entry> entries;
    for (const std::string& name : names_in(directory)) {
        const bool file = volume_.find(directory + "/" + name) != nullptr;
        entries.push_back({name, file ? FileKind::file : FileKind::directory});
    }
    return std::unique_ptr<Listing>(new Names(*this, directory, std::move(entries)));
}

std::vector<std::string> MemoryTree::names_in(const std::string& directory) const {
    const std::string above = directory + "/";
    std::set<std::string> names;
    const auto add = [&](const std::string& path) {
        if (path.starts_with(above))
            names.insert(path.substr(above.size(), path.find('/', above.size()) - above.size()));
    };
    for (const auto& [path, file] : volume_.names()) add(path);
    for (const std::string& path : volume_.directories()) add(path);
    return {names.begin(), names.end()};
}

Done MemoryTree::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::rename); fault != Fault::none)
        return failed(to, fault);
    if (Done room = room_for(to); !room) return room;
    if (!volume_.find(from)) return failed(to, "No such file or directory");
    volume_.rename(from, to);
    return Nothing{};
}

Outcome<bool> MemoryTree::place(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::place); fault != Fault::none)
        return failed(to, fault);
    if (!volume_.is_directory(from))
        if (Done room = room_for(to); !room) return std::move(room).failure();
    if (volume_.find(to) || volume_.is_directory(to)) return false;
    if (!volume_.find(from) && !volume_.is_directory(from))
        return failed(to, "No such file or directory");
    volume_.rename(from, to);
    return true;
}

Done MemoryTree::link(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::link); fault != Fault::none)
        return failed(to, fault);
    if (volume_.find(to)) return failed(to, "File exists");
    if (!volume_.find(from)) return failed(to, "No such file or directory");
    volume_.link(from, to);
    return Nothing{};
}

Done MemoryTree::remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const Fault fault = fate_.next(Operation::remove); fault != Fault::none)
        return failed(path, fault);
    if (volume_.is_directory(path)) {
        if (!names_in(path).empty())
            return Failure{pep381d::Fault::refused, "mirror/" + path + ": Directory not empty"};
        volume_.remove_directory(path);
        return Nothing{};
    }
    volume_.remove(path);
    return Nothing{};
}

// Asking for the room changes nothing; there is enough.
Outcome<pep381d::Room> MemoryTree::room() {
    constexpr std::int64_t much = 1LL << 40;
    return pep381d::Room{much, much, much, much};
}

Done MemoryTree::flush() {
    const std::lock_guard lock(mutex_);
    const Fault fault = fate_.next(Operation::flush);
    if (fault == Fault::lose || fault == Fault::forget) volume_.lose(fault == Fault::forget);
    if (fault != Fault::none) return failed("", fault);
    volume_.flush();
    return Nothing{};
}

}  // namespace faults
