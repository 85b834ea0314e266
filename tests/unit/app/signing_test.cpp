#include "pep381d/app/signing.h"

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/openssl_keys.h"
#include "support/temporary_directory.h"

using namespace pep381d;
namespace fs = std::filesystem;

namespace {

CommandLine read(std::vector<std::string> tokens) {
    std::vector<const char*> argv{"pep381d"};
    for (const std::string& token : tokens) argv.push_back(token.c_str());
    return read_command_line(static_cast<int>(argv.size()), argv.data());
}

struct SignedMirror {
    TemporaryDirectory directory;
    std::string key = (directory.path() / "key").string();
    std::string mirror = (directory.path() / "mirror").string();

    SignedMirror() {
        fs::create_directories(mirror + "/web");
        for (const auto& [path, pem] : {std::pair(key, openssl_made::dsa_private),
                                        std::pair(key + ".ed25519", openssl_made::ed25519_private)})
            write(path, pem);
    }
    static void write(const std::string& path, const std::string& pem) {
        std::ofstream(path) << pem;
        fs::permissions(path, fs::perms{0600});
    }
    CommandLine line(const std::string& command, std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"--mirror.directory", mirror, "--signing.key", key});
        more.push_back(command);
        return read(more);
    }
};

}  // namespace

TEST_CASE("a good signing key is no mistake, and none is needed") {
    const SignedMirror files;
    for (const char* command : {"run", "sync", "check-config", "status"})
        CHECK(files.line(command).mistakes.empty());
    CHECK(files.line("sync").config.signing_keys);
    Config unsigned_pages;
    CHECK_FALSE(load_signing_keys(unsigned_pages));
}

TEST_CASE("a bad signing key is a mistake of the configuration where pages are signed") {
    const SignedMirror files;
    fs::permissions(files.key, fs::perms{0644});
    for (const char* command : {"run", "sync", "check-config"}) {
        const auto mistakes = files.line(command).mistakes;
        REQUIRE(mistakes.size() == 1);
        CHECK(mistakes[0].where == "command line");
        CHECK(mistakes[0].key == "signing.key");
        CHECK_THAT(mistakes[0].what, ContainsSubstring(files.key + ": others may read") &&
                                         ContainsSubstring("chmod"));
    }
    // Who only looks need not be able to read it.
    for (const char* command : {"status", "verify", "serve", "allow-deletions", "keygen"})
        CHECK(files.line(command).mistakes.empty());
}

TEST_CASE("the file that names a bad signing key is told") {
    const SignedMirror files;
    fs::remove(files.key + ".ed25519");
    const std::string config = (files.directory.path() / "config").string();
    std::ofstream(config) << "mirror.directory = " << files.mirror
                          << "\nsigning.key = " << files.key << "\n";
    const auto mistakes = read({"--config", config, "sync"}).mistakes;
    REQUIRE(mistakes.size() == 1);
    CHECK(mistakes[0].where == config);
    CHECK_THAT(mistakes[0].what, ContainsSubstring(files.key + ".ed25519: No such file") &&
                                     ContainsSubstring("keygen"));
}

TEST_CASE("a signing key may not lie where everybody can read it") {
    SignedMirror files;
    files.key = files.mirror + "/staging/../web/key";
    const auto mistakes = files.line("sync").mistakes;
    REQUIRE(mistakes.size() == 1);
    CHECK_THAT(mistakes[0].what, ContainsSubstring("published tree"));
}

TEST_CASE("without pages in HTML there is nothing to sign") {
    const SignedMirror files;
    const auto mistakes = files.line("sync", {"--pages.formats", "json"}).mistakes;
    REQUIRE(mistakes.size() == 1);
    CHECK_THAT(mistakes[0].what, ContainsSubstring("pages.formats"));
}

TEST_CASE("keygen needs no mirror") {
    CHECK(read({"--config=/dev/null", "--signing.key", "k", "keygen"}).mistakes.empty());
}
