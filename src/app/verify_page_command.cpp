#include "pep381d/app/verify_page_command.h"

#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "pep381d/app/ending.h"
#include "pep381d/app/mirror.h"
#include "pep381d/base/log.h"
#include "pep381d/base/signing_keys.h"
#include "pep381d/duties/page_signature.h"
#include "pep381d/net/curl_transport.h"

namespace pep381d {

namespace {

struct Arguments {
    std::vector<std::string> urls;
    std::string key;
    bool understood = true;
};

// `--key FILE` and `--key=FILE`.
Arguments read(const std::vector<std::string>& words) {
    constexpr std::string_view option = "--key";
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == option && i + 1 < words.size())
            arguments.key = words[++i];
        else if (words[i].starts_with("--key="))
            arguments.key = words[i].substr(option.size() + 1);
        else if (words[i].starts_with("--"))
            arguments.understood = false;
        else
            arguments.urls.push_back(words[i]);
    }
    return arguments;
}

constexpr const char* no_page = "there is nothing to check";
constexpr const char* no_key = "if it copies pages, name its master's key with --key";

int told(const Failure& failure, const char* where_gone) {
    switch (failure.fault) {
        case Fault::gone:
            return end_with(1, failure.what, where_gone);
        case Fault::corrupt:
            return end_with(1, failure.what, "do not trust the page");
        case Fault::refused:
            return end_with(1, failure.what, "the page could not be checked");
        default:
            return end_with(3, failure.what, "try again");
    }
}

}  // namespace

int verify_page_command(const CommandLine& line) {
    const Arguments arguments = read(line.arguments);
    if (!arguments.understood || arguments.urls.size() != 1)
        return end_with(2, "verify-page takes one URL, and `--key FILE`", "see `pep381d --help`");
    const std::string shown = display_url(arguments.urls.front());
    const auto page = page_address(arguments.urls.front());
    if (!page)
        return end_with(2, fmt::format("{} is no URL of a project's page", quoted(shown)),
                        "write http(s)://HOST/simple/NAME/");
    CurlTransport transport(transport_options(line.config));
    std::vector<PublicKey> keys;
    const bool own_key = !arguments.key.empty();
    if (own_key) {
        auto read = read_public_key(arguments.key);
        if (!read) return end_with(2, read.failure().what, "name a public key in PEM");
        keys.push_back(std::move(read).value());
    } else {
        auto fetched = keys_of_mirror(transport, *page);
        if (!fetched) return told(fetched.failure(), no_key);
        keys = std::move(fetched).value();
    }
    const auto good = verify_page(transport, *page, keys);
    if (!good) return told(good.failure(), no_page);
    for (const KeyKind kind : good.value())
        std::printf("%s: good %s signature by %s\n", shown.c_str(),
                    std::string(name_of(kind)).c_str(),
                    own_key ? arguments.key.c_str() : "the key that the mirror itself shows");
    return 0;
}

}  // namespace pep381d
