#include "pep381d/net/gunzip.h"

#include <optional>
#include <string>

#include "support/catch.h"
#include "support/gzip.h"

using namespace pep381d;
using test::gzip;

namespace {

// Given in pieces of that size; nothing where it does not decode or is not complete.
std::optional<std::string> decode(Gunzip& gunzip, std::string_view packed, std::size_t piece_size) {
    gunzip.restart();
    std::string text;
    for (; !packed.empty(); packed.remove_prefix(std::min(piece_size, packed.size()))) {
        gunzip.give(packed.substr(0, piece_size));
        for (;;) {
            const Outcome<std::string_view> piece = gunzip.take();
            if (!piece) return std::nullopt;
            if (piece.value().empty()) break;
            text += piece.value();
        }
    }
    if (!gunzip.complete()) return std::nullopt;
    return text;
}

}  // namespace

TEST_CASE("a gzip decodes whatever the pieces that it comes in") {
    std::string mixed;
    for (int i = 0; i < 40'000; ++i) mixed += std::to_string(i * 7919);
    Gunzip gunzip;
    for (const std::string& text :
         {std::string(), std::string("x"), std::string(1'000'000, 'a'), mixed}) {
        const std::string packed = gzip(text);
        for (const std::size_t size :
             {std::size_t{1}, std::size_t{7}, std::size_t{16'384}, packed.size()}) {
            CAPTURE(text.size(), size);
            CHECK((decode(gunzip, packed, size) == text));
            CHECK((decode(gunzip, packed + packed, size) == text + text));
        }
    }
}

TEST_CASE("nothing at all is a complete body") {
    CHECK(Gunzip().complete());
}

TEST_CASE(
    "a gzip cut anywhere is not complete, and one with an altered byte does not pass for the "
    "text") {
    const std::string text = "<!DOCTYPE html><a href=\"x\">x</a><a href=\"y\">y</a>";
    const std::string packed = gzip(text);
    Gunzip gunzip;
    for (std::size_t cut = 1; cut < packed.size(); ++cut) {
        CAPTURE(cut);
        CHECK_FALSE(decode(gunzip, packed.substr(0, cut), 16).has_value());
    }
    constexpr std::size_t header = 10;  // holds a time and a system, which change nothing
    for (std::size_t at = header; at < packed.size(); ++at) {
        std::string altered = packed;
        altered[at] = static_cast<char>(altered[at] ^ 0x10);
        CAPTURE(at);
        CHECK_FALSE(decode(gunzip, altered, 16).has_value());
    }
    CHECK_FALSE(decode(gunzip, packed + "more", 16).has_value());
    CHECK_FALSE(decode(gunzip, "plain text", 16).has_value());
}
