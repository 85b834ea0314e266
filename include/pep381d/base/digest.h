// Hashing as the simple index offers it, over OpenSSL.
#pragma once

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

}  // namespace pep381d
