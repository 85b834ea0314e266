#include "support/faults/memory_vfs.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "support/temporary_directory.h"

namespace faults {

const std::string& state_file() {
    static const TemporaryDirectory directory;
    static const std::string path = [] {
        directory.write("state.db", "it lies on a Volume");
        return (directory.path() / "state.db").string();
    }();
    return path;
}

namespace {

struct Disk {
    Volume& volume;
    Fate& fate;
    unsigned seed;
};

// SQLite allots its memory; what it holds is made and destroyed by hand.
struct OpenFile {
    sqlite3_file base;
    Disk* disk;
    Volume::Node node;
    bool temporary;
    std::vector<std::unique_ptr<char[]>> shared;
};

OpenFile& file_of(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}

// Temporary files are nobody's loss.
Fault next(OpenFile& file, Operation operation) {
    return file.temporary ? Fault::none : file.disk->fate.next(operation);
}

int close(sqlite3_file* file) {
    file_of(file).~OpenFile();
    return SQLITE_OK;
}

int read(sqlite3_file* base, void* buffer, int size, sqlite3_int64 at) {
    OpenFile& file = file_of(base);
    if (next(file, Operation::state_read) != Fault::none) return SQLITE_IOERR_READ;
    const std::string& bytes = file.node->bytes;
    const auto from = std::min(static_cast<std::size_t>(at), bytes.size());
    const auto got = std::min(static_cast<std::size_t>(size), bytes.size() - from);
    std::memcpy(buffer, bytes.data() + from, got);
    if (got == static_cast<std::size_t>(size)) return SQLITE_OK;
    std::memset(static_cast<char*>(buffer) + got, 0, static_cast<std::size_t>(size) - got);
    return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* base, const void* buffer, int size, sqlite3_int64 at) {
    OpenFile& file = file_of(base);
    const Fault fault = next(file, Operation::state_write);
    if (fault == Fault::stop) return SQLITE_IOERR_WRITE;
    const auto most = static_cast<std::size_t>(fault == Fault::none ? size : size / 2);
    Volume::write(*file.node, static_cast<std::size_t>(at),
                  {static_cast<const char*>(buffer), most});
    if (fault == Fault::full) return SQLITE_FULL;
    return fault == Fault::none ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int truncate(sqlite3_file* base, sqlite3_int64 size) {
    OpenFile& file = file_of(base);
    if (next(file, Operation::state_truncate) != Fault::none) return SQLITE_IOERR_TRUNCATE;
    Volume::truncate(*file.node, static_cast<std::size_t>(size));
    return SQLITE_OK;
}

int sync(sqlite3_file* base, int) {
    OpenFile& file = file_of(base);
    const Fault fault = next(file, Operation::state_sync);
    if (fault == Fault::lose || fault == Fault::forget) {
        Volume::lose(*file.node, fault == Fault::forget);
        return SQLITE_IOERR_FSYNC;
    }
    if (fault != Fault::none) return SQLITE_IOERR_FSYNC;
    file.disk->volume.flush(file.node);
    return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(file_of(base).node->bytes.size());
    return SQLITE_OK;
}

int lock(sqlite3_file*, int) {
    return SQLITE_OK;
}
int check_reserved(sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
    return 4096;
}
// As on Unix.
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shared_map(sqlite3_file* base, int region, int size, int extend, void volatile** memory) {
    auto& shared = file_of(base).shared;
    const auto number = static_cast<std::size_t>(region);
    *memory = nullptr;
    if (number >= shared.size() && extend == 0) return SQLITE_OK;
    while (number >= shared.size())
        shared.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    *memory = shared[number].get();
    return SQLITE_OK;
}
int shared_lock(sqlite3_file*, int, int, int) {
    return SQLITE_OK;
}
void shared_barrier(sqlite3_file*) {}
int shared_unmap(sqlite3_file* base, int) {
    file_of(base).shared.clear();
    return SQLITE_OK;
}

const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods all = [] {
        sqlite3_io_methods these{};
        these.iVersion = 2;
        these.xClose = close;
        these.xRead = read;
        these.xWrite = write;
        these.xTruncate = truncate;
        these.xSync = sync;
        these.xFileSize = file_size;
        these.xLock = lock;
        these.xUnlock = lock;
        these.xCheckReservedLock = check_reserved;
        these.xFileControl = control;
        these.xSectorSize = sector_size;
        these.xDeviceCharacteristics = characteristics;
        these.xShmMap = shared_map;
        these.xShmLock = shared_lock;
        these.xShmBarrier = shared_barrier;
        these.xShmUnmap = shared_unmap;
        return these;
    }();
    return all;
}

Disk& disk_of(sqlite3_vfs* vfs) {
    return *static_cast<Disk*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* flags_out) {
    Disk& disk = disk_of(vfs);
    base->pMethods = nullptr;
    const bool temporary = path == nullptr;
    if (!temporary && disk.fate.next(Operation::state_open) != Fault::none) return SQLITE_CANTOPEN;
    Volume::Node node = temporary ? std::make_shared<Volume::File>() : disk.volume.find(path);
    if (!node && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    if (!node) node = disk.volume.create(path);
    new (base) OpenFile{{&methods()}, &disk, std::move(node), temporary, {}};
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* path, int durably) {
    Disk& disk = disk_of(vfs);
    if (disk.fate.next(Operation::state_remove) != Fault::none) return SQLITE_IOERR_DELETE;
    if (!disk.volume.find(path)) return SQLITE_IOERR_DELETE_NOENT;
    disk.volume.remove(path);
    if (durably != 0) disk.volume.flush_removal(path);
    return SQLITE_OK;
}

// As on Unix, an empty file is as good as none.
int access(sqlite3_vfs* vfs, const char* path, int, int* result) {
    const Volume::Node node = disk_of(vfs).volume.find(path);
    *result = node && !node->bytes.empty() ? 1 : 0;
    return SQLITE_OK;
}

int random_bytes(sqlite3_vfs* vfs, int size, char* bytes) {
    std::minstd_rand draw(disk_of(vfs).seed);
    for (int i = 0; i < size; ++i) bytes[i] = static_cast<char>(draw() % 256);
    return size;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
    return sqlite3_snprintf(size, out, "%s", path) == out ? SQLITE_OK : SQLITE_CANTOPEN;
}

}  // namespace

struct MemoryVfs::Impl {
    Impl(Volume& volume, Fate& fate, unsigned seed)
        : disk{volume, fate, seed}, vfs(*sqlite3_vfs_find(nullptr)) {
        vfs.szOsFile = sizeof(OpenFile);
        vfs.pNext = nullptr;
        vfs.zName = "pep381d-tests-memory";
        vfs.pAppData = &disk;
        vfs.xOpen = open;
        vfs.xDelete = remove;
        vfs.xAccess = access;
        vfs.xFullPathname = full_path;
        vfs.xRandomness = random_bytes;
        if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
            throw std::runtime_error("sqlite3_vfs_register");
        sqlite3_randomness(0, nullptr);  // a new seed is asked for
    }
    ~Impl() {
        sqlite3_vfs_unregister(&vfs);
        sqlite3_randomness(0, nullptr);
    }

    Disk disk;
    sqlite3_vfs vfs;
};

MemoryVfs::MemoryVfs(Volume& volume, Fate& fate, unsigned seed)
    : impl_(std::make_unique<Impl>(volume, fate, seed)) {}
MemoryVfs::~MemoryVfs() = default;

}  // namespace faults
