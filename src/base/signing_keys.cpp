#include "pep381d/base/signing_keys.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "pep381d/base/descriptor.h"

namespace pep381d {

namespace {

constexpr off_t key_most = 64 << 10;  // bytes

Failure failed(const std::string& path, const std::string& cause) {
    return Failure{Fault::local, fmt::format("{}: {}", path, cause)};
}

Outcome<std::string> read_bytes(const std::string& path, const Descriptor& file) {
    std::array<char, key_most> buffer{};
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0) return failed(path, std::strerror(errno));
    return std::string(buffer.data(), static_cast<std::size_t>(got));
}

// `secret`: nobody else may read it.
Outcome<std::string> read_file(const std::string& path, bool secret) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) != 0) {
        const bool missing = errno == ENOENT && secret;
        return failed(path, fmt::format("{}; {}", std::strerror(errno),
                                        missing ? "`pep381d keygen` makes what is missing"
                                                : "name a file that this user can read"));
    }
    if (!S_ISREG(about.st_mode)) return failed(path, "it is no regular file");
    // A group may read it: so systemd and Debian's ssl-cert hand keys to a service.
    constexpr mode_t others = S_IRWXO | S_IWGRP;
    if (secret && (about.st_mode & others) != 0)
        return failed(path, fmt::format("others may read or change it (mode {:04o}); `chmod 0600` "
                                        "it, and make new keys if it was ever read",
                                        about.st_mode & 07777));
    if (about.st_size >= key_most) return failed(path, "it is too large to be a key");
    return read_bytes(path, file);
}

Outcome<PrivateKey> read_private_key(const std::string& path, KeyKind kind) {
    const auto pem = read_file(path, true);
    if (!pem) return pem.failure();
    auto key = PrivateKey::parse(pem.value());
    if (!key)
        return failed(path, fmt::format("{}; one for {} is wanted, as `pep381d keygen` makes it",
                                        key.failure().what, name_of(kind)));
    if (key.value().kind() != kind)
        return failed(path, fmt::format("it is a key for {}; one for {} is wanted, as `pep381d "
                                        "keygen` makes it",
                                        name_of(key.value().kind()), name_of(kind)));
    return key;
}

// Under its name only once it is whole and on the disk; what has that name stays.
Done write_new(const std::string& path, const std::string& bytes, mode_t mode) {
    const std::string part = fmt::format("{}.new-{}", path, ::getpid());
    Descriptor file(
        ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file)
        return failed(path, fmt::format("cannot make it: {}; its directory must be there, and this "
                                        "user able to write to it",
                                        std::strerror(errno)));
    const auto size = static_cast<ssize_t>(bytes.size());
    const bool written = ::fchmod(file.get(), mode) == 0 &&
                         ::write(file.get(), bytes.data(), bytes.size()) == size &&
                         ::fsync(file.get()) == 0 && ::link(part.c_str(), path.c_str()) == 0;
    const int error = errno;
    ::unlink(part.c_str());
    if (!written) return failed(path, fmt::format("cannot make it: {}", std::strerror(error)));
    const std::string above = path.substr(0, path.rfind('/') + 1);
    const Descriptor directory(
        ::open(above.empty() ? "." : above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) ::fsync(directory.get());
    return Nothing{};
}

bool is_there(const std::string& path) {
    struct stat about {};
    return ::lstat(path.c_str(), &about) == 0;
}

// One key and its public half.
Done make_missing(const std::string& path, KeyKind kind, std::vector<std::string>& made) {
    if (!is_there(path)) {
        const std::string pem = PrivateKey::make(kind).pem();
        if (Done written = write_new(path, pem, 0600); !written) return written;
        made.push_back(path);
    }
    const std::string half = path + std::string(public_suffix);
    if (is_there(half)) return Nothing{};
    const auto key = read_private_key(path, kind);
    if (!key) return key.failure();
    if (Done written = write_new(half, key.value().public_key().pem(), 0644); !written)
        return written;
    made.push_back(half);
    return Nothing{};
}

std::string ed25519_path(const std::string& path) {
    return path + std::string(ed25519_suffix);
}

}  // namespace

Outcome<SigningKeys> read_signing_keys(const std::string& path) {
    auto dsa = read_private_key(path, KeyKind::dsa);
    if (!dsa) return std::move(dsa).failure();
    auto ed25519 = read_private_key(ed25519_path(path), KeyKind::ed25519);
    if (!ed25519) return std::move(ed25519).failure();
    return SigningKeys{std::move(dsa).value(), std::move(ed25519).value()};
}

Outcome<std::vector<std::string>> make_signing_keys(const std::string& path) {
    std::vector<std::string> made;
    if (Done done = make_missing(path, KeyKind::dsa, made); !done) return std::move(done).failure();
    if (Done done = make_missing(ed25519_path(path), KeyKind::ed25519, made); !done)
        return std::move(done).failure();
    return made;
}

Outcome<PublicKey> read_public_key(const std::string& path) {
    const auto pem = read_file(path, false);
    if (!pem) return pem.failure();
    auto key = PublicKey::parse(pem.value());
    if (!key)
        return failed(path, fmt::format("{}; a file as `serverkey` or `serverkey.ed25519` is",
                                        key.failure().what));
    return key;
}

}  // namespace pep381d
