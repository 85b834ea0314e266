#include "pep381d/base/signing_keys.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/catch.h"
#include "support/openssl_keys.h"
#include "support/temporary_directory.h"

using namespace pep381d;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const std::string& text, fs::perms mode = fs::perms{0600}) {
    std::ofstream(path) << text;
    fs::permissions(path, mode);
}

std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
}

struct KeyFiles {
    TemporaryDirectory directory;
    std::string path = (directory.path() / "key").string();

    KeyFiles() {
        write(path, openssl_made::dsa_private);
        write(path + ".ed25519", openssl_made::ed25519_private);
    }
    std::string complaint() const {
        const auto keys = read_signing_keys(path);
        return keys ? "" : keys.failure().what;
    }
};

}  // namespace

TEST_CASE("both keys are read, also where a group may read them") {
    const KeyFiles files;
    fs::permissions(files.path, fs::perms{0640});
    const auto keys = read_signing_keys(files.path);
    REQUIRE(keys);
    CHECK(keys.value().dsa.public_key().pem() == openssl_made::dsa_public);
    CHECK(keys.value().ed25519.public_key().pem() == openssl_made::ed25519_public);
}

TEST_CASE("a signing key that others may read or change is refused, with what to do") {
    const auto mode = GENERATE(0644U, 0604U, 0602U, 0660U, 0777U);
    const auto* suffix = GENERATE("", ".ed25519");
    const KeyFiles files;
    const std::string path = files.path + suffix;
    fs::permissions(path, fs::perms{mode});
    CHECK_THAT(files.complaint(),
               ContainsSubstring(path + ": others may read or change it (mode 0") &&
                   ContainsSubstring("chmod 0600"));
}

TEST_CASE("what is no signing key is refused by its file's name, with what to do") {
    const KeyFiles files;
    const auto refused = [&](const std::string& path, const std::string& cause) {
        CHECK_THAT(files.complaint(), ContainsSubstring(path + ": ") && ContainsSubstring(cause));
    };
    fs::remove(files.path + ".ed25519");
    refused(files.path + ".ed25519", "No such file or directory; `pep381d keygen` makes");
    write(files.path + ".ed25519", openssl_made::dsa_private);
    refused(files.path + ".ed25519", "it is a key for DSA; one for Ed25519 is wanted");
    write(files.path, openssl_made::ed25519_private);
    refused(files.path, "it is a key for Ed25519; one for DSA is wanted");
    write(files.path, openssl_made::dsa_public);
    refused(files.path, "it is a public key, not a private one");
    write(files.path, "");
    refused(files.path, "it is no private key in PEM");
    write(files.path, std::string(70'000, '-'));
    refused(files.path, "too large");
    fs::remove(files.path);
    fs::create_directory(files.path);
    refused(files.path, "no regular file");
}

TEST_CASE("keygen makes both keys for their owner alone, and their public halves for everybody") {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "key").string();
    const auto made = make_signing_keys(path);
    REQUIRE(made);
    CHECK(made.value() ==
          std::vector<std::string>{path, path + ".pub", path + ".ed25519", path + ".ed25519.pub"});
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(path + ".ed25519") == 0600);
    CHECK(mode_of(path + ".pub") == 0644);
    CHECK(mode_of(path + ".ed25519.pub") == 0644);
    CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 4);

    const auto keys = read_signing_keys(path);
    REQUIRE(keys);
    for (const auto& [key, half] : {std::pair(keys.value().dsa, path + ".pub"),
                                    std::pair(keys.value().ed25519, path + ".ed25519.pub")}) {
        const auto read_half = read_public_key(half);
        REQUIRE(read_half);
        CHECK(read_half.value().verifies("page", key.sign("page")));
    }
}

TEST_CASE("keygen overwrites nothing, and makes what is missing") {
    const KeyFiles files;
    write(files.path + ".pub", "mine");
    fs::remove(files.path + ".ed25519");
    const auto made = make_signing_keys(files.path);
    REQUIRE(made);
    CHECK(made.value() ==
          std::vector<std::string>{files.path + ".ed25519", files.path + ".ed25519.pub"});
    CHECK(read(files.path) == openssl_made::dsa_private);
    CHECK(read(files.path + ".pub") == "mine");
    const std::string ed25519 = read(files.path + ".ed25519");

    const auto again = make_signing_keys(files.path);
    REQUIRE(again);
    CHECK(again.value().empty());
    CHECK(read(files.path + ".ed25519") == ed25519);
}

TEST_CASE("keygen says why it cannot make a key") {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "none" / "key").string();
    const auto made = make_signing_keys(path);
    REQUIRE_FALSE(made);
    CHECK_THAT(made.failure().what, ContainsSubstring(path + ": cannot make it: No such file") &&
                                        ContainsSubstring("its directory must be there"));
}
