#include "pep381d/base/digest.h"

#include <array>
#include <cstdint>
#include <cstring>
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

constexpr char digits[] = "0123456789abcdef";

// The two digits of each byte.
constexpr auto digit_pairs = [] {
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t byte = 0; byte < pairs.size(); ++byte)
        pairs[byte] = {digits[byte >> 4], digits[byte & 15]};
    return pairs;
}();

constexpr unsigned int no_digit = 16;
constexpr auto digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
    for (std::uint8_t i = 10; i < 16; ++i)
        values[static_cast<std::size_t>('a' + i - 10)] =
            values[static_cast<std::size_t>('A' + i - 10)] = i;
    return values;
}();

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
    std::string hex;
    append_hex(hex, bytes);
    return hex;
}

void append_hex(std::string& out, std::string_view bytes) {
    const std::size_t start = out.size();
    out.resize(start + bytes.size() * 2);
    char* to = out.data() + start;
    for (const char c : bytes) {
        std::memcpy(to, digit_pairs[static_cast<unsigned char>(c)].data(), 2);
        to += 2;
    }
}

namespace {

// False where the text is not hexadecimal. `to` has room for half as many bytes.
bool decode_hex(std::string_view hex, char* to) {
    unsigned int all = 0;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        const unsigned int high = digit_values[static_cast<unsigned char>(hex[i])];
        const unsigned int low = digit_values[static_cast<unsigned char>(hex[i + 1])];
        all |= high | low;
        *to++ = static_cast<char>((high << 4 | low) & 0xff);
    }
    return hex.size() % 2 == 0 && (all & no_digit) == 0;
}

}  // namespace

std::optional<std::string> from_hex(std::string_view hex) {
    std::string bytes(hex.size() / 2, '\0');
    if (!decode_hex(hex, bytes.data())) return std::nullopt;
    return bytes;
}

std::optional<DigestBytes> digest_from_hex(std::string_view hex, std::size_t size) {
    std::array<char, DigestBytes::most> bytes;
    if (size > bytes.size() || hex.size() != 2 * size || !decode_hex(hex, bytes.data()))
        return std::nullopt;
    return DigestBytes(std::string_view(bytes.data(), size));
}

DigestBytes::DigestBytes(std::string_view bytes) {
    if (bytes.size() > most) return;
    bytes.copy(bytes_.data(), bytes.size());
    size_ = static_cast<unsigned char>(bytes.size());
}

}  // namespace pep381d
