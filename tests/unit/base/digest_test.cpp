#include "pep381d/base/digest.h"

#include <utility>

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("each algorithm gives the digest of its standard") {
    struct Row {
        Algorithm algorithm;
        std::string name, hex_of_abc;
    };
    const auto row = GENERATE(values<Row>({
        {Algorithm::md5, "md5", "900150983cd24fb0d6963f7d28e17f72"},
        {Algorithm::sha1, "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {Algorithm::sha224, "sha224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
        {Algorithm::sha256, "sha256",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {Algorithm::sha384, "sha384",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca1"
         "34c825a7"},
        {Algorithm::sha512, "sha512",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
         "a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    }));
    INFO(row.name);
    CHECK(algorithm_named(row.name) == row.algorithm);
    CHECK(name_of(row.algorithm) == row.name);

    Hasher hasher(row.algorithm);
    hasher.update("a");
    hasher.update("");
    Hasher moved = std::move(hasher);
    moved.update("bc");
    const std::string digest = moved.finish();
    CHECK(digest.size() == digest_size(row.algorithm));
    CHECK(to_hex(digest) == row.hex_of_abc);
}

TEST_CASE("a later algorithm is a stronger one") {
    CHECK(Algorithm::md5 < Algorithm::sha1);
    CHECK(Algorithm::sha1 < Algorithm::sha256);
    CHECK(Algorithm::sha256 < Algorithm::sha512);
}

TEST_CASE("an algorithm that is not checked has no name here") {
    const std::string name = GENERATE("", "SHA256", "sha-256", "blake2b", "sha2567", "md");
    INFO(name);
    CHECK_FALSE(algorithm_named(name));
}

TEST_CASE("nothing has a digest too") {
    CHECK(to_hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("bytes become hexadecimal and return") {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    CHECK(to_hex(bytes).substr(0, 8) == "00010203");
    CHECK(from_hex(to_hex(bytes)) == bytes);
    std::string text = "x";
    append_hex(text, bytes.substr(0, 3));
    CHECK(text == "x000102");
    CHECK(from_hex("fFaA") == "\xff\xaa");
    CHECK(from_hex("") == "");
}

TEST_CASE("what is not hexadecimal gives nothing") {
    const std::string text = GENERATE("0", "abc", "0g", "g0", "0x00", " 00", "-1", "\xc3\xa9");
    INFO(text);
    CHECK_FALSE(from_hex(text));
}
