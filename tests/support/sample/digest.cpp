#include "support/sample/digest.h"

#include <algorithm>
#include <cstring>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace sample {
namespace {

constexpr std::array<std::uint64_t, 8> initial_state{
    0x6a09e667f3bcc908U, 0xbb67ae8584caa73bU, 0x3c6ef372fe94f82bU, 0xa54ff53a5f1d36f1U,
    0x510e527fade682d1U, 0x9b05688c2b3e6c1fU, 0x1f83d9abfb41bd6bU, 0x5be0cd19137e2179U};

constexpr std::uint8_t schedule[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                           {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                           {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                           {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                           {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                           {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                           {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                           {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                           {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                           {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

constexpr std::uint8_t lanes[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
                                      {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
                                      {2, 7, 8, 13},  {3, 4, 9, 14}};

std::uint64_t rotate_right(std::uint64_t word, unsigned count) {
    return (word >> count) | (word << (64U - count));
}

void mix(std::array<std::uint64_t, 16>& v, const std::uint8_t (&lane)[4], std::uint64_t x,
         std::uint64_t y) {
    auto &a = v[lane[0]], &b = v[lane[1]], &c = v[lane[2]], &d = v[lane[3]];
    a += b + x;
    d = rotate_right(d ^ a, 32);
    c += d;
    b = rotate_right(b ^ c, 24);
    a += b + y;
    d = rotate_right(d ^ a, 16);
    c += d;
    b = rotate_right(b ^ c, 63);
}

// RFC 7693 3.2: `count` is the number of bytes so far, this block's included.
void compress(std::array<std::uint64_t, 8>& h, const char* block, std::uint64_t count, bool last) {
    std::array<std::uint64_t, 16> words{};
    static_assert(sizeof words == 128);
    std::memcpy(words.data(), block, sizeof words);
    std::array<std::uint64_t, 16> v{};
    std::copy(h.begin(), h.end(), v.begin());
    std::copy(initial_state.begin(), initial_state.end(), v.begin() + 8);
    v[12] ^= count;
    if (last) v[14] = ~v[14];
    for (unsigned round = 0; round < 12; ++round) {
        const auto& order = schedule[round % 10];
        for (unsigned i = 0; i < 8; ++i)
            mix(v, lanes[i], words[order[2 * i]], words[order[2 * i + 1]]);
    }
    for (unsigned i = 0; i < 8; ++i) h[i] ^= v[i] ^ v[i + 8];
}

template <std::size_t Size>
std::string hex_of(const std::array<std::uint8_t, Size>& digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * Size);
    for (const unsigned byte : digest) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

}  // namespace

Digest32 sha256(std::string_view bytes) {
    Digest32 digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    return digest;
}

// Words are read and written as they lie in memory: little-endian machines only, as all that this
// is tested on.
Digest32 blake2b_256(std::string_view bytes) {
    constexpr std::size_t block = 128;
    auto h = initial_state;
    h[0] ^= 0x01010000U ^ 32U;
    std::size_t done = 0;
    for (; bytes.size() - done > block; done += block)
        compress(h, bytes.data() + done, done + block, false);
    std::array<char, block> tail{};
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.end(), tail.begin());
    compress(h, tail.data(), bytes.size(), true);
    Digest32 digest{};
    std::memcpy(digest.data(), h.data(), digest.size());
    return digest;
}

std::string md5_hex(std::string_view bytes) {
    std::array<std::uint8_t, 16> digest{};
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_md5(), nullptr);
    return hex_of(digest);
}

std::string hex(const Digest32& digest) {
    return hex_of(digest);
}

std::string base64url(const Digest32& digest) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const unsigned byte : digest) {
        bits = (bits << 8U) | byte;
        for (held += 8; held >= 6; held -= 6) text += alphabet[(bits >> (held - 6U)) & 63U];
    }
    if (held > 0) text += alphabet[(bits << (6U - held)) & 63U];
    return text;
}

}  // namespace sample
