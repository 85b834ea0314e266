#include "pep381d/base/digest.h"

#include <array>
#include <new>

#include <openssl/evp.h>

#include "pep381d/base/outcome.h"

namespace pep381d {

namespace {

struct Known {
    const char* name;     // in pages
    const char* openssl;  // at OpenSSL
    std::size_t size;
};
constexpr std::array<Known, 6> known{{{"md5", "MD5", 16},
                                      {"sha1", "SHA1", 20},
                                      {"sha224", "SHA224", 28},
                                      {"sha256", "SHA256", 32},
                                      {"sha384", "SHA384", 48},
                                      {"sha512", "SHA512", 64}}};

const Known& entry(Algorithm algorithm) {
    return known[static_cast<std::size_t>(algorithm)];
}

// Fetched once: an implicit fetch for every file costs more than hashing a small one.
const EVP_MD* method(Algorithm algorithm) {
    static const auto methods = [] {
        std::array<const EVP_MD*, known.size()> all{};
        for (std::size_t i = 0; i < known.size(); ++i)
            all[i] = EVP_MD_fetch(nullptr, known[i].openssl, nullptr);
        return all;
    }();
    return methods[static_cast<std::size_t>(algorithm)];
}

}  // namespace

struct Hasher::Context {
    EVP_MD_CTX* md = EVP_MD_CTX_new();
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(md); }
};

std::optional<Algorithm> algorithm_named(std::string_view name) {
    for (std::size_t i = 0; i < known.size(); ++i)
        if (name == known[i].name) return static_cast<Algorithm>(i);
    return std::nullopt;
}

std::string_view name_of(Algorithm algorithm) {
    return entry(algorithm).name;
}
std::size_t digest_size(Algorithm algorithm) {
    return entry(algorithm).size;
}

Hasher::Hasher(Algorithm algorithm) : context_(std::make_unique<Context>()) {
    if (context_->md == nullptr) throw std::bad_alloc();
    if (method(algorithm) == nullptr ||
        EVP_DigestInit_ex(context_->md, method(algorithm), nullptr) != 1)
        throw Fatal(
            5, std::string("OpenSSL offers no ") + entry(algorithm).openssl + " on this machine");
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
    EVP_DigestUpdate(context_->md, bytes.data(), bytes.size());
}

std::string Hasher::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_->md, digest.data(), &size);
    return std::string(digest.begin(), digest.begin() + size);
}

std::string sha256(std::string_view bytes) {
    Hasher hasher(Algorithm::sha256);
    hasher.update(bytes);
    return hasher.finish();
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

std::optional<std::string> from_hex(std::string_view hex) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = digit(hex[i]);
        const int low = digit(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

}  // namespace pep381d
