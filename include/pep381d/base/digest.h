// Hashing as the simple index offers it, over OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pep381d {

// In order of strength: the greatest that is offered is the one to check.
enum class Algorithm { md5, sha1, sha224, sha256, sha384, sha512 };

// The name as hashes in pages carry it (PEP 503: a hashlib name); nothing for one that we do not
// check.
std::optional<Algorithm> algorithm_named(std::string_view name);
std::string_view name_of(Algorithm algorithm);
std::size_t digest_size(Algorithm algorithm);  // bytes

// A digest's bytes. A page has one or two for each file, so they lie where they are, without memory
// of their own.
class DigestBytes {
  public:
    static constexpr std::size_t most = 64;

    DigestBytes() = default;
    // Longer ones are no digest's: nothing is kept of them.
    DigestBytes(std::string_view bytes);
    DigestBytes(const std::string& bytes) : DigestBytes(std::string_view(bytes)) {}

    std::string_view view() const { return {bytes_.data(), size_}; }
    operator std::string_view() const { return view(); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    friend bool operator==(const DigestBytes& a, const DigestBytes& b) {
        return a.view() == b.view();
    }
    friend bool operator==(const DigestBytes& a, const std::string& b) { return a.view() == b; }

  private:
    std::array<char, most> bytes_{};
    unsigned char size_ = 0;
};

class Hasher {
  public:
    explicit Hasher(Algorithm algorithm);
    ~Hasher();
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;

    void update(std::string_view bytes);
    // The digest as bytes. The hasher is used up.
    std::string finish();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

std::string sha256(std::string_view bytes);  // 32 bytes

std::string to_hex(std::string_view bytes);
void append_hex(std::string& out, std::string_view bytes);
// Lower or upper case; nothing where the text is not hexadecimal or of odd length.
std::optional<std::string> from_hex(std::string_view hex);
// Nothing where it has not that many bytes besides.
std::optional<DigestBytes> digest_from_hex(std::string_view hex, std::size_t size);

}  // namespace pep381d
