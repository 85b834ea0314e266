#include "support/faults/volume.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace faults {

namespace {

void apply(std::string& bytes, const Volume::Write& write, std::size_t size) {
    if (write.truncates) {
        bytes.resize(write.at);
        return;
    }
    bytes.resize(std::max(bytes.size(), write.at + size));
    std::copy_n(write.bytes.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(write.at));
}

bool is_dirty(const Volume::File& file) {
    return !file.unflushed.empty();
}

}  // namespace

// Every file is copied once, however many names it has.
Volume::Volume(const Volume& other) : now_(other.now_), durable_(other.durable_) {
    std::unordered_map<const File*, Node> copies;
    const auto copy = [&](const Node& file) -> Node {
        if (!file) return nullptr;
        Node& made = copies[file.get()];
        if (!made) made = std::make_shared<File>(*file);
        return made;
    };
    for (Names* names : {&now_, &durable_})
        for (auto& [path, file] : names->names) file = copy(file);
    for (const Change& one : other.changes_)
        changes_.push_back({one.kind, one.from, one.to, copy(one.file)});
}

Volume& Volume::operator=(Volume other) noexcept {
    std::swap(now_, other.now_);
    std::swap(durable_, other.durable_);
    changes_.swap(other.changes_);
    return *this;
}

Volume::Node Volume::find(const std::string& path) const {
    const auto found = now_.names.find(path);
    return found == now_.names.end() ? nullptr : found->second;
}

bool Volume::is_directory(const std::string& path) const {
    return now_.directories.contains(path);
}

void Volume::Names::apply(const Change& change) {
    switch (change.kind) {
        case Change::Kind::rename:
            if (const auto old = names.find(change.from);
                old != names.end() && old->second == change.file)
                names.erase(old);
            names[change.to] = change.file;
            return;
        case Change::Kind::name:
            names[change.to] = change.file;
            return;
        case Change::Kind::move:
            move(change.from, change.to);
            return;
        case Change::Kind::remove:
            names.erase(change.to);
            forget_directories(change.to);
            return;
        case Change::Kind::directory:
            directories.insert(change.to);
            return;
        case Change::Kind::no_directory:
            directories.erase(change.to);
            return;
    }
}

void Volume::Names::move(const std::string& from, const std::string& to) {
    if (directories.erase(from) > 0) directories.insert(to);
    const std::string above = from + "/";
    for (auto i = names.lower_bound(above); i != names.end() && i->first.starts_with(above);) {
        names[to + i->first.substr(from.size())] = i->second;
        i = names.erase(i);
    }
}

// Directories go with the last file in them, in the same step.
void Volume::Names::forget_directories(const std::string& path) {
    for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
        const std::string directory = path.substr(0, slash + 1);
        const auto next = names.lower_bound(directory);
        if (next != names.end() && next->first.starts_with(directory)) return;
        if (std::count(directory.begin(), directory.end(), '/') < 3) return;
        directories.erase(path.substr(0, slash));
    }
}

void Volume::change(Change change) {
    now_.apply(change);
    changes_.push_back(std::move(change));
}

void Volume::make_directories(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
        make_directory(path.substr(0, slash));
}

void Volume::make_directory(const std::string& path) {
    if (!is_directory(path)) change({Change::Kind::directory, {}, path, nullptr});
}

Volume::Node Volume::create(const std::string& path) {
    if (Node old = find(path)) {
        truncate(*old, 0);
        return old;
    }
    make_directories(path);
    Node file = std::make_shared<File>();
    change({Change::Kind::name, {}, path, file});
    return file;
}

void Volume::rename(const std::string& from, const std::string& to) {
    make_directories(to);
    const auto kind = is_directory(from) ? Change::Kind::move : Change::Kind::rename;
    change({kind, from, to, find(from)});
}

void Volume::link(const std::string& from, const std::string& to) {
    make_directories(to);
    change({Change::Kind::name, {}, to, find(from)});
}

void Volume::remove(const std::string& path) {
    if (!find(path)) {
        // What is gone already may have left empty directories, as where only the last one was
        // lost.
        Names without = now_;
        without.forget_directories(path);
        if (without.directories.size() == now_.directories.size()) return;
    }
    change({Change::Kind::remove, {}, path, nullptr});
}

void Volume::remove_directory(const std::string& path) {
    if (is_directory(path)) change({Change::Kind::no_directory, {}, path, nullptr});
}

void Volume::write(File& file, std::size_t at, std::string_view bytes) {
    file.unflushed.push_back({at, std::string(bytes), false});
    apply(file.bytes, file.unflushed.back(), bytes.size());
}

void Volume::truncate(File& file, std::size_t size) {
    if (file.bytes.size() == size) return;
    file.unflushed.push_back({size, {}, true});
    file.bytes.resize(size);
}

void Volume::flush() {
    for (const auto& [path, file] : now_.names)
        if (is_dirty(*file)) flush(*file);
    durable_ = now_;
    changes_.clear();
}

void Volume::flush(File& file) {
    file.durable = when_flushed(file);
    file.unflushed.clear();
}

std::string Volume::when_flushed(const File& file) {
    if (!file.cached) return file.bytes;
    std::string bytes = file.durable;
    for (const Write& write : file.unflushed) faults::apply(bytes, write, write.bytes.size());
    return bytes;
}

void Volume::flush(const Node& file) {
    flush(*file);
    std::erase_if(changes_, [&](const Change& one) {
        if (one.file != file) return false;
        durable_.apply(one);
        return true;
    });
}

void Volume::flush_removal(const std::string& path) {
    durable_.names.erase(path);
    std::erase_if(changes_, [&](const Change& one) { return one.to == path; });
}

void Volume::lose(bool cached) {
    for (const auto& [path, file] : dirty()) lose(*file, cached);
}

void Volume::lose(File& file, bool cached) {
    std::string left = file.bytes;
    for (const Write& write : file.unflushed)
        if (!write.truncates)
            std::fill_n(left.begin() + static_cast<std::ptrdiff_t>(write.at),
                        std::min(write.bytes.size(), left.size() - std::min(write.at, left.size())),
                        '\0');
    if (!cached) file.bytes = left;
    file.durable = std::move(left);
    file.cached = cached;
    file.unflushed.clear();
}

bool Volume::drop_cache() {
    bool dropped = false;
    for (const auto& [path, file] : now_.names) dropped = drop_cache(*file) || dropped;
    return dropped;
}

bool Volume::drop_cache(File& file) {
    if (!file.cached) return false;
    file.bytes = when_flushed(file);
    file.cached = false;
    return true;
}

std::vector<std::pair<std::string, Volume::Node>> Volume::dirty() const {
    std::vector<std::pair<std::string, Node>> all;
    std::set<const File*> seen;
    for (const auto& [path, file] : now_.names)
        if (is_dirty(*file) && seen.insert(file.get()).second) all.emplace_back(path, file);
    return all;
}

std::vector<Volume::Loss> Volume::losses(bool by_write) const {
    std::vector<Loss> all;
    for (std::size_t i = 0; i < changes_.size(); ++i) all.push_back({Damage::operation, i, 0});
    const auto files = dirty();
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!by_write) {
            for (const Damage damage : {Damage::old, Damage::cut, Damage::zeros})
                all.push_back({damage, i, 0});
            continue;
        }
        for (std::size_t write = 0; write < files[i].second->unflushed.size(); ++write) {
            all.push_back({Damage::one_write, i, write});
            if (!files[i].second->unflushed[write].truncates)
                all.push_back({Damage::torn_write, i, write});
        }
    }
    return all;
}

std::string Volume::damaged(const File& file, const Loss& loss) {
    std::string bytes = file.durable;
    switch (loss.damage) {
        case Damage::nothing:
        case Damage::operation:
            return file.bytes;
        case Damage::everything:
        case Damage::old:
            return bytes;
        case Damage::cut:
            return file.bytes.substr(0, file.bytes.size() / 2);
        case Damage::zeros:
            return std::string(file.bytes.size(), '\0');
        case Damage::one_write:
        case Damage::torn_write:
            break;
    }
    for (std::size_t i = 0; i < file.unflushed.size(); ++i) {
        const Write& write = file.unflushed[i];
        const std::size_t size = write.bytes.size();
        if (i != loss.write)
            apply(bytes, write, size);
        else if (loss.damage == Damage::torn_write)
            apply(bytes, write, size / 2);
    }
    return bytes;
}

Volume::Names Volume::names_after(const Loss& loss) const {
    Names found = durable_;
    std::string lost;  // a directory
    const auto within = [&](const std::string& path) {
        return !lost.empty() && path.starts_with(lost);
    };
    for (std::size_t i = 0; i < changes_.size() && loss.damage != Damage::everything; ++i) {
        const Change& one = changes_[i];
        const bool hit = loss.damage == Damage::operation && i == loss.number;
        if (hit && one.kind == Change::Kind::directory) lost = one.to + "/";
        // What lies in a directory that was lost is gone with it.
        if (!hit && !within(one.to + "/") && !within(one.from)) found.apply(one);
    }
    return found;
}

Volume Volume::after(const Loss& loss) const {
    const Names found = names_after(loss);
    const auto files = dirty();
    const File* damaged_file = nullptr;
    if (loss.damage >= Damage::old) damaged_file = files[loss.number].second.get();
    Volume disk;
    std::unordered_map<const File*, Node> copies;
    disk.now_.directories = found.directories;
    for (const auto& [path, file] : found.names) {
        Node& copy = copies[file.get()];
        if (!copy) {
            const bool hit = loss.damage == Damage::everything || file.get() == damaged_file;
            copy = std::make_shared<File>();
            copy->durable = hit ? damaged(*file, loss) : when_flushed(*file);
            copy->cached = file->cached && loss.damage == Damage::nothing;
            copy->bytes = copy->cached ? file->bytes : copy->durable;
            copy->mtime = file->mtime;
        }
        disk.make_directories(path);
        disk.now_.names.emplace(path, copy);
    }
    disk.flush();
    return disk;
}

std::string Volume::describe(const Loss& loss) const {
    switch (loss.damage) {
        case Damage::nothing:
            return "nothing";
        case Damage::everything:
            return "everything";
        case Damage::operation: {
            const Change& one = changes_[loss.number];
            const char* kinds[] = {"name ",       "rename to ", "move to ",
                                   "removal of ", "directory ", "removal of directory "};
            return kinds[static_cast<std::size_t>(one.kind)] + one.to;
        }
        case Damage::old:
            return "content of " + dirty()[loss.number].first;
        case Damage::cut:
            return "half of " + dirty()[loss.number].first;
        case Damage::zeros:
            return "zeros in " + dirty()[loss.number].first;
        case Damage::one_write:
        case Damage::torn_write:
            return (loss.damage == Damage::torn_write ? "half of write " : "write ") +
                   std::to_string(loss.write) + " of " + dirty()[loss.number].first;
    }
    return {};
}

}  // namespace faults
