#include "pep381d/base/signature.h"

#include "pep381d/base/digest.h"

#include "support/catch.h"
#include "support/openssl_keys.h"

using namespace pep381d;

namespace {

struct Made {
    const char *private_pem, *public_pem, *signature;
    KeyKind kind;
};
const Made dsa{openssl_made::dsa_private, openssl_made::dsa_public, openssl_made::dsa_signature,
               KeyKind::dsa};
const Made ed25519{openssl_made::ed25519_private, openssl_made::ed25519_public,
                   openssl_made::ed25519_signature, KeyKind::ed25519};

std::string bytes(const std::string& hex) {
    return from_hex(hex).value();
}

}  // namespace

TEST_CASE("what the openssl command signed is verified with its public key") {
    const auto made = GENERATE(values<Made>({dsa, ed25519}));
    const auto key = PublicKey::parse(made.public_pem);
    REQUIRE(key);
    CHECK(key.value().kind() == made.kind);
    CHECK(key.value().pem() == made.public_pem);
    const std::string signature = bytes(made.signature);
    CHECK(key.value().verifies(openssl_made::page, signature));
    CHECK_FALSE(key.value().verifies("another page\n", signature));
    CHECK_FALSE(key.value().verifies(openssl_made::page, ""));
    CHECK_FALSE(key.value().verifies(openssl_made::page, signature + '\0'));
    CHECK_FALSE(key.value().verifies(openssl_made::page, signature.substr(1)));
    CHECK_FALSE(
        key.value().verifies(openssl_made::page, signature.substr(0, signature.size() - 1)));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        std::string tampered = signature;
        tampered[i] = static_cast<char>(tampered[i] ^ 1);
        INFO(i);
        CHECK_FALSE(key.value().verifies(openssl_made::page, tampered));
    }
}

TEST_CASE("a private key of the openssl command signs for its public half") {
    const auto made = GENERATE(values<Made>({dsa, ed25519}));
    const auto key = PrivateKey::parse(made.private_pem);
    REQUIRE(key);
    CHECK(key.value().kind() == made.kind);
    CHECK(key.value().public_key().pem() == made.public_pem);
    const std::string signature = key.value().sign(openssl_made::page);
    CHECK(looks_like_signature(made.kind, signature));
    CHECK(PublicKey::parse(made.public_pem).value().verifies(openssl_made::page, signature));
}

TEST_CASE("a key that was made is read back, and signs what its public half verifies") {
    const auto kind = GENERATE(KeyKind::dsa, KeyKind::ed25519);
    const PrivateKey key = PrivateKey::make(kind);
    CHECK(key.kind() == kind);
    const auto again = PrivateKey::parse(key.pem());
    const auto half = PublicKey::parse(key.public_key().pem());
    REQUIRE((again && half));
    CHECK(half.value().verifies("", again.value().sign("")));
    const std::string page(100'000, 'x');
    const std::string signature = again.value().sign(page);
    CHECK(half.value().verifies(page, signature));
    CHECK((signature == again.value().sign(page)) == (kind == KeyKind::ed25519));
    CHECK_FALSE(PrivateKey::make(kind).public_key().verifies(page, signature));
}

TEST_CASE("a DSA signature whose numbers are out of range, negative or too long is none") {
    const auto key = PublicKey::parse(openssl_made::dsa_public).value();
    const std::string good = openssl_made::dsa_signature;
    const auto signature = GENERATE_COPY(values<std::string>({
        "3006020100020100",             // r = s = 0
        "3006020101020100",             // s = 0
        "3006020180020101",             // r is negative
        "303d021d00" + good.substr(8),  // a zero too many before r
        "30813c" + good.substr(4),      // a length in the long form
        "3021021d00d36d2f983eaa0d0d54e49f3a0190a55e7ffc1cde6f352dd17bdf9c03020101",  // r = q
    }));
    INFO(signature);
    CHECK_FALSE(key.verifies(openssl_made::page, bytes(signature)));
}

TEST_CASE("what is no key of ours says what it is instead") {
    struct Row {
        const char* what;
        std::string pem, cause_private, cause_public;
    };
    const auto row = GENERATE(values<Row>({
        {"nothing", "", "no private key in PEM", "no public key in PEM"},
        {"an HTML page", "<html>Not found</html>", "no private key", "no public key"},
        {"the other half", openssl_made::dsa_public, "it is a public key", ""},
        {"the other half", openssl_made::dsa_private, "", "it is a private key"},
        {"cut short", std::string(openssl_made::ed25519_public).substr(0, 60), "a public key",
         "no public key"},
        {"with a passphrase",
         "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
         "it has a passphrase", "it is a private key"},
        {"another kind",
         "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAqrj3tgfa4BMfP28Zr/DH5CT1Yq7NtH45x2Ok8aj7Sjg="
         "\n-----END PUBLIC KEY-----\n",
         "it is a public key", "it is a key for X25519"},
        {"more bits than anybody has time for",
         "-----BEGIN PUBLIC KEY-----\n"
         "MIICpzCCAp0GByqGSM44BAEwggKQAoICcgCAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAhUAgAAAAAAAAAAAAAAAAAAAAAAA\n"
         "AAcCAQIDBAACAQQ=\n"
         "-----END PUBLIC KEY-----\n",
         "it is a public key", "it is a DSA key of 5000 bits"},
    }));
    INFO(row.what);
    const auto secret = PrivateKey::parse(row.pem);
    CHECK(secret.ok() == row.cause_private.empty());
    if (!secret) CHECK_THAT(secret.failure().what, ContainsSubstring(row.cause_private));
    const auto half = PublicKey::parse(row.pem);
    CHECK(half.ok() == row.cause_public.empty());
    if (!half) CHECK_THAT(half.failure().what, ContainsSubstring(row.cause_public));
}

TEST_CASE("a signature is told from a page without a key") {
    CHECK(looks_like_signature(KeyKind::dsa, bytes(openssl_made::dsa_signature)));
    CHECK(looks_like_signature(KeyKind::ed25519, bytes(openssl_made::ed25519_signature)));
    for (const char* other : {"", "0", "<!DOCTYPE html><html></html>", "Not found\n"}) {
        CHECK_FALSE(looks_like_signature(KeyKind::dsa, other));
        CHECK_FALSE(looks_like_signature(KeyKind::ed25519, other));
    }
    CHECK_FALSE(looks_like_signature(KeyKind::dsa, bytes(openssl_made::dsa_signature) + "\n"));
}
