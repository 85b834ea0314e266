// Text as gzip, at the highest compression.
#pragma once

#include <stdexcept>
#include <string>

#include <zlib.h>

namespace pep381d::test {

inline std::string gzip(std::string_view text) {
    z_stream stream{};
    constexpr int window_and_gzip = 15 + 16;
    if (deflateInit2(&stream, 9, Z_DEFLATED, window_and_gzip, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("deflateInit2");
    }
    std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    std::string input(text);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

}  // namespace pep381d::test
