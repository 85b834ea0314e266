#include "support/sample/archive.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <zlib.h>

namespace sample {
namespace {

void put16(std::string& out, std::size_t value) {
    out += static_cast<char>(value & 255U);
    out += static_cast<char>((value >> 8U) & 255U);
}

void put32(std::string& out, std::size_t value) {
    put16(out, value & 0xffffU);
    put16(out, value >> 16U);
}

std::size_t checksum(std::string_view bytes) {
    return crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

// What a local header and a central entry have in common (APPNOTE 4.3.7, 4.3.12).
void put_zip_fields(std::string& out, const Member& member, std::size_t crc) {
    constexpr std::size_t version_needed = 20, utf8_names = 0x0800, stored = 0, midnight = 0,
                          first_day = 0x0021;
    for (const auto field : {version_needed, utf8_names, stored, midnight, first_day})
        put16(out, field);
    put32(out, crc);
    put32(out, member.bytes.size());
    put32(out, member.bytes.size());
    put16(out, member.name.size());
    put16(out, 0);
}

std::string tar_header(const Member& member, std::int64_t time) {
    // A long name's first folder goes into the prefix field.
    const auto cut = member.name.size() > 100 ? member.name.find('/') : std::string::npos;
    const auto prefix = cut == std::string::npos ? "" : member.name.substr(0, cut);
    const auto name = cut == std::string::npos ? member.name : member.name.substr(cut + 1);
    if (name.size() > 100 || prefix.size() > 155)
        throw std::invalid_argument("no place in a tar header for the name " + member.name);
    std::string block(512, '\0');
    const auto put = [&block](std::size_t at, std::string_view text) {
        std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
    };
    const auto octal = [](std::uint64_t value, int width) {
        char text[24];
        std::snprintf(text, sizeof text, "%0*llo", width, static_cast<unsigned long long>(value));
        return std::string{text};
    };
    put(0, name);
    put(100, octal(0644, 7));
    put(108, octal(0, 7));
    put(116, octal(0, 7));
    put(124, octal(member.bytes.size(), 11));
    put(136, octal(static_cast<std::uint64_t>(time), 11));
    put(148, "        0");
    put(257, std::string_view{"ustar\00000", 8});
    put(345, prefix);
    std::uint64_t sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string{'\0', ' '});
    return block;
}

// Deflate's stored blocks (RFC 1951 3.2.4) in a gzip frame (RFC 1952).
std::string gzip_stored(std::string_view bytes) {
    constexpr std::size_t block = 65535;
    std::string out{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10};
    out.reserve(bytes.size() + bytes.size() / 8192 + 64);
    for (std::size_t at = 0; at == 0 || at < bytes.size(); at += block) {
        const auto part = bytes.substr(at, block);
        out += at + block >= bytes.size() ? '\1' : '\0';
        put16(out, part.size());
        put16(out, ~part.size() & 0xffffU);
        out += part;
    }
    put32(out, checksum(bytes));
    put32(out, bytes.size());
    return out;
}

}  // namespace

std::string zip(const std::vector<Member>& members) {
    std::string out, directory;
    for (const auto& member : members) {
        const auto offset = out.size();
        const auto crc = checksum(member.bytes);
        put32(out, 0x04034b50);
        put_zip_fields(out, member, crc);
        out += member.name + member.bytes;

        constexpr std::size_t made_by_unix = 0x0314, no_comment = 0, first_disk = 0, binary = 0;
        put32(directory, 0x02014b50);
        put16(directory, made_by_unix);
        put_zip_fields(directory, member, crc);
        for (const auto field : {no_comment, first_disk, binary}) put16(directory, field);
        put32(directory, std::size_t{0100644} << 16U);
        put32(directory, offset);
        directory += member.name;
    }
    const auto start = out.size();
    out += directory;
    put32(out, 0x06054b50);
    put32(out, 0);
    put16(out, members.size());
    put16(out, members.size());
    put32(out, directory.size());
    put32(out, start);
    put16(out, 0);
    return out;
}

std::string tar_gz(const std::vector<Member>& members, std::int64_t time) {
    constexpr std::int64_t first_zip_day = 315532800;
    std::string out;
    for (const auto& member : members) {
        out += tar_header(member, std::max(time, first_zip_day));
        out += member.bytes;
        out.append((512 - member.bytes.size() % 512) % 512, '\0');
    }
    out.append(1024, '\0');
    return gzip_stored(out);
}

std::string gzip(std::string_view bytes) {
    z_stream stream{};
    constexpr int gzip_frame = 15 + 16, memory_level = 8;
    if (deflateInit2(&stream, 1, Z_DEFLATED, gzip_frame, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib: deflateInit2 failed");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int end = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (end != Z_STREAM_END) throw std::runtime_error("zlib: deflate did not finish");
    return out;
}

}  // namespace sample
