// A library to preload: counts the calls by which a program changes its files, and lets the n-th of
// them go wrong. What strace's injection does, but one count over all threads, so that n = 1, 2, 3
// ... visits every call, and no socket, pipe or event descriptor among them.
//
//     FAULTY_CALL="KIND N"  KIND: kill, short, or the name of an error (EIO, ENOSPC); EIO+ is for
//     ever FAULTY_NOTE=FILE      gets the name of the call that went wrong; without FAULTY_CALL,
//     all names
//
// A killed call has no effect: what kills after a call kills before the next one.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

enum class Call { change, long_write, flush };
enum class Verdict { proceed, fail, shorten, pretend };

struct Fault {
    long at = 0;  // 0: none
    bool for_ever = false;
    bool kills = false;
    bool shortens = false;
    bool lies = false;
    int error = 0;
    const char* note = nullptr;
};

std::atomic<long> calls{0};

Fault parse() {
    Fault fault;
    fault.note = std::getenv("FAULTY_NOTE");
    const char* text = std::getenv("FAULTY_CALL");
    const char* space = text == nullptr ? nullptr : std::strchr(text, ' ');
    if (space == nullptr) return fault;
    const auto is = [&](const char* kind) {
        return std::strncmp(text, kind, std::strlen(kind)) == 0;
    };
    fault.kills = is("kill");
    fault.shortens = is("short");
    fault.lies = is("lie");
    fault.error = is("ENOSPC") ? ENOSPC : EIO;
    fault.for_ever = space[-1] == '+';
    fault.at = std::strtol(space, nullptr, 10);
    return fault;
}

const Fault& fault() {
    static const Fault parsed = parse();
    return parsed;
}

template <class F>
F next(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

// Not through our own open() and write(), which count.
void note(const char* name) {
    if (fault().note == nullptr) return;
    static const auto real_open = next<int (*)(const char*, int, ...)>("open");
    static const auto real_write = next<ssize_t (*)(int, const void*, std::size_t)>("write");
    const int before = errno;
    const int file = real_open(fault().note, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) {
        char line[64] = {};
        std::strncpy(line, name, sizeof line - 2);
        line[std::strlen(line)] = '\n';
        (void)!real_write(file, line, std::strlen(line));
        close(file);
    }
    errno = before;
}

// To be asked before each call that changes a file. A write of one byte cannot be shortened.
Verdict verdict(const char* name, Call call = Call::change) {
    if (fault().shortens && call != Call::long_write) return Verdict::proceed;
    if (fault().lies && call != Call::flush) return Verdict::proceed;
    const long number = ++calls;
    if (fault().at == 0) {
        note(name);
        return Verdict::proceed;
    }
    if (number != fault().at && !(fault().for_ever && number > fault().at)) return Verdict::proceed;
    if (number == fault().at) note(name);
    if (fault().kills) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (fault().shortens) return Verdict::shorten;
    if (fault().lies) return Verdict::pretend;
    errno = fault().error;
    return Verdict::fail;
}

bool is_file(int descriptor) {
    struct stat about {};
    const int before = errno;
    const bool regular = fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    errno = before;
    return regular;
}

}  // namespace

// NAME(PARAMETERS), passed on with ARGUMENTS; -1 where it is to fail.
#define CHANGES(NAME, PARAMETERS, ARGUMENTS)                             \
    extern "C" int NAME PARAMETERS {                                     \
        static const auto real = next<int(*) PARAMETERS>(#NAME);         \
        return verdict(#NAME) == Verdict::proceed ? real ARGUMENTS : -1; \
    }
#define CHANGES_FILE(NAME, PARAMETERS, ARGUMENTS)                                        \
    extern "C" int NAME PARAMETERS {                                                     \
        static const auto real = next<int(*) PARAMETERS>(#NAME);                         \
        return !is_file(fd) || verdict(#NAME) == Verdict::proceed ? real ARGUMENTS : -1; \
    }
#define FLUSHES(NAME)                                       \
    extern "C" int NAME(int fd) {                           \
        static const auto real = next<int (*)(int)>(#NAME); \
        const Verdict now = verdict(#NAME, Call::flush);    \
        if (now == Verdict::proceed) return real(fd);       \
        return now == Verdict::pretend ? 0 : -1;            \
    }
#define WRITES(NAME, PARAMETERS, ARGUMENTS)                                        \
    extern "C" ssize_t NAME PARAMETERS {                                           \
        static const auto real = next<ssize_t(*) PARAMETERS>(#NAME);               \
        const Call call = size > 1 ? Call::long_write : Call::change;              \
        const Verdict now = is_file(fd) ? verdict(#NAME, call) : Verdict::proceed; \
        if (now == Verdict::fail) return -1;                                       \
        if (now == Verdict::shorten) size /= 2;                                    \
        return real ARGUMENTS;                                                     \
    }
// Only where it makes a file.
#define OPENS(NAME, PARAMETERS, ARGUMENTS)                       \
    extern "C" int NAME PARAMETERS {                             \
        static const auto real = next<int(*) PARAMETERS>(#NAME); \
        mode_t mode = 0;                                         \
        if ((flags & O_CREAT) != 0) {                            \
            va_list more;                                        \
            va_start(more, flags);                               \
            mode = va_arg(more, mode_t);                         \
            va_end(more);                                        \
            if (verdict(#NAME) != Verdict::proceed) return -1;   \
        }                                                        \
        return real ARGUMENTS;                                   \
    }

OPENS(open, (const char* path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char* path, int flags, ...), (path, flags, mode))
OPENS(openat, (int at, const char* path, int flags, ...), (at, path, flags, mode))
OPENS(openat64, (int at, const char* path, int flags, ...), (at, path, flags, mode))

WRITES(write, (int fd, const void* bytes, std::size_t size), (fd, bytes, size))
WRITES(pwrite, (int fd, const void* bytes, std::size_t size, off_t at), (fd, bytes, size, at))
WRITES(pwrite64, (int fd, const void* bytes, std::size_t size, off64_t at), (fd, bytes, size, at))

CHANGES(rename, (const char* from, const char* to), (from, to))
CHANGES(renameat, (int at, const char* from, int to_at, const char* to), (at, from, to_at, to))
CHANGES(renameat2, (int at, const char* from, int to_at, const char* to, unsigned flags),
        (at, from, to_at, to, flags))
CHANGES(link, (const char* from, const char* to), (from, to))
CHANGES(linkat, (int at, const char* from, int to_at, const char* to, int flags),
        (at, from, to_at, to, flags))
CHANGES(unlink, (const char* path), (path))
CHANGES(unlinkat, (int at, const char* path, int flags), (at, path, flags))
CHANGES(rmdir, (const char* path), (path))
CHANGES(mkdir, (const char* path, mode_t mode), (path, mode))
CHANGES(mkdirat, (int at, const char* path, mode_t mode), (at, path, mode))
CHANGES_FILE(ftruncate, (int fd, off_t size), (fd, size))
CHANGES_FILE(ftruncate64, (int fd, off64_t size), (fd, size))
CHANGES_FILE(fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
CHANGES_FILE(fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size))
CHANGES_FILE(futimens, (int fd, const timespec times[2]), (fd, times))
FLUSHES(fsync)
FLUSHES(fdatasync)
FLUSHES(syncfs)
