#include "pep381d/app/signing.h"

#include <cstdio>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "pep381d/app/ending.h"
#include "pep381d/base/signing_keys.h"

namespace pep381d {

namespace {

namespace fs = std::filesystem;

// Any web server would hand it out.
bool is_published(const std::string& path, const std::string& mirror_directory) {
    std::error_code ignored;
    const fs::path file = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
    const fs::path web = fs::weakly_canonical(fs::absolute(mirror_directory, ignored), ignored);
    const fs::path relative = file.lexically_relative(web / "web");
    return !mirror_directory.empty() && !relative.empty() && *relative.begin() != "..";
}

std::string told_published(const std::string& path) {
    return fmt::format("{}: everybody can read what lies in the published tree; keep it elsewhere",
                       path);
}

}  // namespace

std::optional<std::string> load_signing_keys(Config& config) {
    if (config.signing_key.empty()) return std::nullopt;
    if (is_published(config.signing_key, config.mirror_directory))
        return told_published(config.signing_key);
    if (!config.pages_html) return "what is signed is the page in HTML: add html to pages.formats";
    auto keys = read_signing_keys(config.signing_key);
    if (!keys) return std::move(keys).failure().what;
    config.signing_keys = std::make_shared<const SigningKeys>(std::move(keys).value());
    return std::nullopt;
}

int keygen(const Config& config) {
    const std::string& path = config.signing_key;
    if (path.empty()) return end_with(2, "signing.key is not set", "say where the key is to lie");
    if (is_published(path, config.mirror_directory))
        return end_with(2, told_published(path), "change signing.key");
    const auto made = make_signing_keys(path);
    if (!made) return end_with(2, made.failure().what, "nothing was overwritten");
    if (made.value().empty())
        return end_with(2, fmt::format("{}: it is there already, and never overwritten", path),
                        "move it away to make another");
    for (const std::string& file : made.value()) std::printf("%s\n", file.c_str());
    return 0;
}

}  // namespace pep381d
