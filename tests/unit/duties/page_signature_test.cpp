#include "pep381d/duties/page_signature.h"

#include "pep381d/base/digest.h"

#include "support/catch.h"
#include "support/openssl_keys.h"
#include "support/scripted_transport.h"

using namespace pep381d;

namespace {

// A mirror whose page openssl has signed.
struct SignedPage {
    ScriptedTransport network;
    PageAddress page{"http://m", "foo"};

    SignedPage() {
        put("/simple/foo/", openssl_made::page, "text/html");
        put("/serversig/foo", from_hex(openssl_made::dsa_signature).value());
        put("/serversig/foo.ed25519", from_hex(openssl_made::ed25519_signature).value());
        put("/serverkey", openssl_made::dsa_public);
        put("/serverkey.ed25519", openssl_made::ed25519_public);
    }
    void put(const std::string& path, const std::string& body,
             const std::string& type = "application/octet-stream") {
        network.answers["http://m" + path] = {body, type};
    }
    // Without a key: by those that it shows.
    Outcome<std::vector<KeyKind>> verify(const std::optional<PublicKey>& key = {}) {
        if (key) return verify_page(network, page, {*key});
        const auto keys = keys_of_mirror(network, page);
        return keys ? verify_page(network, page, keys.value()) : keys.failure();
    }
    std::string cause(const std::optional<PublicKey>& key = {}) {
        const auto good = verify(key);
        return good ? "" : good.failure().what;
    }
};

}  // namespace

TEST_CASE("the URL of a page names a mirror and a project") {
    for (const char* url : {"https://m/simple/Foo.Bar/", "https://m/simple/Foo.Bar"}) {
        const auto page = page_address(url);
        REQUIRE(page);
        CHECK(page->base == "https://m");
        CHECK(page->name == "Foo.Bar");
    }
    CHECK(page_address("http://m:1/below/simple/foo/")->base == "http://m:1/below");
    for (const char* url :
         {"", "m/simple/foo/", "ftp://m/simple/foo/", "https://m/simple/", "https://m/foo/",
          "https://m/simple/foo/index.html", "https://m/simple/-/", "https://m/simple/../"})
        CHECK_FALSE(page_address(url));
}

TEST_CASE("a page is verified with a key, or with those that the mirror shows") {
    SignedPage mirror;
    const auto both = mirror.verify();
    REQUIRE(both);
    CHECK(both.value() == std::vector{KeyKind::dsa, KeyKind::ed25519});
    mirror.network.answers.erase("http://m/serverkey.ed25519");
    const auto old = mirror.verify();
    REQUIRE(old);
    CHECK(old.value() == std::vector{KeyKind::dsa});
    mirror.network.asked.clear();
    const auto key = PublicKey::parse(openssl_made::ed25519_public).value();
    const auto own = mirror.verify(key);
    REQUIRE(own);
    CHECK(own.value() == std::vector{KeyKind::ed25519});
    CHECK(mirror.network.asked.size() == 2);
}

TEST_CASE("what comes in the place of a signature is told, and verifies nothing") {
    SignedPage mirror;
    mirror.put("/serversig/foo", "<html>Not here</html>", "text/html");
    CHECK_THAT(mirror.cause(), ContainsSubstring("http://m/serversig/foo: no DSA signature came, "
                                                 "but 21 bytes of text/html"));
    mirror.put("/serversig/foo", from_hex(openssl_made::dsa_signature).value() + "\n");
    CHECK_THAT(mirror.cause(), ContainsSubstring("no DSA signature came"));
    mirror.network.answers.erase("http://m/serversig/foo");
    CHECK_THAT(mirror.cause(), ContainsSubstring("http://m/serversig/foo"));
    mirror.put("/serverkey", "<html>", "text/html");
    CHECK_THAT(mirror.cause(), ContainsSubstring("http://m/serverkey: it is no public key"));
    mirror.put("/serverkey", openssl_made::ed25519_public);
    CHECK_THAT(mirror.cause(), ContainsSubstring("http://m/serverkey: it is a key for Ed25519"));
}

TEST_CASE("another project's page is told, though its signature is good") {
    SignedPage mirror;
    const auto key = PrivateKey::parse(openssl_made::ed25519_private).value();
    for (const auto& [said, cause] :
         {std::pair("Links for Foo", ""),
          std::pair("Links for bar", "it is the page of bar, not of foo")}) {
        const std::string html =
            "<html><head><title>" + std::string(said) + "</title></head><body></body></html>";
        mirror.put("/simple/foo/", html, "text/html");
        mirror.put("/serversig/foo.ed25519", key.sign(html));
        const std::string found = mirror.cause(key.public_key());
        CHECK_THAT(found, ContainsSubstring(cause));
        CHECK(found.empty() == std::string(cause).empty());
    }
}

TEST_CASE("a page that was altered is told, after a second look at page and signature") {
    SignedPage mirror;
    mirror.put("/simple/foo/", "another page\n", "text/html");
    CHECK_THAT(
        mirror.cause(),
        ContainsSubstring("http://m/simple/foo/: its DSA signature is not one of this page"));
    CHECK(mirror.network.asked["http://m/simple/foo/"] == 2);
    // It changed between the two requests.
    int looks = 0;
    mirror.network.before = [&](const std::string& key) {
        if (key == "http://m/simple/foo/" && ++looks == 2)
            mirror.put("/simple/foo/", openssl_made::page, "text/html");
    };
    CHECK(mirror.cause().empty());
}
