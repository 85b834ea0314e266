// Compressed bodies: what they decode to does not depend on how they are cut, is never more than
// was asked for at a time, and only what is whole counts as whole.
#include "pep381d/net/gunzip.h"

#include "fuzz.h"
#include "support/gzip.h"

using namespace pep381d;
using fuzz::require;

namespace {

// A bomb is cut off by the receiver (net/transfer), here.
constexpr std::size_t most_decoded = 4 << 20;

struct Decoded {
    std::string text;
    bool failed = false;
    bool complete = false;
};

Decoded decode(Gunzip& gunzip, std::string_view packed, std::size_t most) {
    Decoded decoded;
    gunzip.restart();
    const auto take = [&](std::string_view piece) {
        if (decoded.failed || decoded.text.size() > most_decoded) return;
        gunzip.give(piece);
        for (;;) {
            const auto part = gunzip.take();
            decoded.failed = !part;
            if (!part || part.value().empty() || decoded.text.size() > most_decoded) return;
            require(part.value().size() <= 32 * 1024, "a bomb comes in small pieces");
            decoded.text += part.value();
        }
    };
    if (most == 0)
        take(packed);
    else
        fuzz::in_pieces(packed, most, take);
    decoded.complete = !decoded.failed && gunzip.complete();
    return decoded;
}

}  // namespace

void fuzz_one(std::string_view input) {
    Gunzip gunzip;
    const Decoded whole = decode(gunzip, input, 0);
    const Decoded cut = decode(gunzip, input, 7);
    if (whole.text.size() <= most_decoded) {
        require(whole.failed == cut.failed, "pieces make no difference");
        require(whole.complete == cut.complete, "what is whole is whole in pieces");
        if (!whole.failed) require(whole.text == cut.text, "the text is the same in pieces");
    }
    const std::string packed = test::gzip(input);
    const Decoded back = decode(gunzip, packed, 5);
    require(back.complete && back.text == input, "what was packed comes back");
    const Decoded part = decode(gunzip, std::string_view(packed).substr(0, packed.size() - 1), 0);
    require(!part.complete, "what lacks its last byte is not whole");
}
