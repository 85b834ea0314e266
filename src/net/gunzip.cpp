#include "pep381d/net/gunzip.h"

#include <array>
#include <new>

#include <zlib.h>

namespace pep381d {

struct Gunzip::Stream {
    z_stream z{};
    bool between_members =
        true;  // a gzip may hold several, one after another (RFC 1952, section 2.2)
    std::array<char, 32 * 1024> out;
};

Gunzip::Gunzip() : stream_(std::make_unique<Stream>()) {
    constexpr int gzip_only = 15 + 16;
    if (inflateInit2(&stream_->z, gzip_only) != Z_OK) throw std::bad_alloc();
}

Gunzip::~Gunzip() {
    inflateEnd(&stream_->z);
}

void Gunzip::restart() {
    inflateReset(&stream_->z);
    stream_->z.avail_in = 0;
    stream_->between_members = true;
}

void Gunzip::give(std::string_view packed) {
    // zlib does not write to its input; its type is older than const.
    stream_->z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_->z.avail_in = static_cast<uInt>(packed.size());
}

Outcome<std::string_view> Gunzip::take() {
    z_stream& z = stream_->z;
    std::array<char, 32 * 1024>& out = stream_->out;
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    // What zlib holds back comes out without input as well; a new member begins only with some.
    while (z.avail_out > 0 && (z.avail_in > 0 || !stream_->between_members)) {
        stream_->between_members = false;
        const int result = inflate(&z, Z_NO_FLUSH);
        if (result == Z_BUF_ERROR) break;
        if (result == Z_STREAM_END) {
            stream_->between_members = true;
            inflateReset(&z);
        } else if (result != Z_OK) {
            return Failure{Fault::corrupt, "the body says that it is gzip and does not decode"};
        }
    }
    return std::string_view(out.data(), out.size() - z.avail_out);
}

bool Gunzip::complete() const {
    return stream_->between_members && stream_->z.avail_in == 0;
}

}  // namespace pep381d
