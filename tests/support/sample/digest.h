// The digests that PyPI names its files by. Pure functions of bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sample {

using Digest32 = std::array<std::uint8_t, 32>;

Digest32 sha256(std::string_view bytes);
// BLAKE2b with a digest of 32 bytes (RFC 7693). OpenSSL 3.0 has only the 64-byte form, which is not
// a prefix of it.
Digest32 blake2b_256(std::string_view bytes);

std::string md5_hex(std::string_view bytes);  // of the PEP 381 era

std::string hex(const Digest32& digest);
// URL-safe, unpadded: the form of wheel RECORD files (PEP 427).
std::string base64url(const Digest32& digest);

}  // namespace sample
