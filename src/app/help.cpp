#include <fmt/format.h>

#include "pep381d/app/config.h"
#include "pep381d/app/config_key.h"

namespace pep381d {

namespace {

constexpr std::string_view introduction =
    R"(pep381d keeps a mirror of PyPI, the Python package index.

Usage: pep381d [--config FILE] [--SECTION.KEY VALUE ...] COMMAND [ARGS]

Commands:
  run                the daemon: poll, sync and publish until SIGTERM;
                     SIGHUP reads the configuration again, SIGUSR1 polls and retries now
  sync [PROJECT...]  one pass, then exit; with names, only those projects
  status [--json]    what the mirror holds and how fresh it is
  status --removals [--json] [PROJECT...]
                     every removal, when and why, the newest first
  verify [--no-hash] [--repair]
                     pages, files and state against one another, each fault a
                     line; with --no-hash sizes and links only; with --repair
                     what is wrong is made or fetched again, and strays go
  verify-page URL [--key FILE]
                     the signature of a page of any mirror, by its public key in
                     FILE, or else by the one that the mirror itself shows
  allow-deletions    confirm once what the guard against mass deletions holds back
  adopt [DIRECTORY]  begin a new state where ours is damaged, over the tree that is
                     there; with the files of another mirror tool's tree
  keygen             make the keys at signing.key and their public halves; what is
                     there stays
  check-config       print the effective configuration, or every mistake in it
  serve              the embedded web server alone, over an existing mirror

Options:
  --config FILE      the configuration file (/etc/pep381d.conf, where it exists)
  --help, -h         this text
  --version          the version

Every key of the configuration is an option too, and wins over the file:
)";

constexpr std::string_view conclusion = R"(
Exit status:
  0  done
  1  the pass ended, but something could not be synced; it stays queued;
     verify: something was found, or could not be repaired;
     verify-page: the page is not proven
  2  mistake in usage or configuration
  3  the poll failed: master not reached, not understood, or its serial ran backwards
  4  the guard against mass deletions holds something back
  5  the state or the tree cannot be used: locked, read-only, full or damaged
)";

std::string default_of(const ConfigKey& key) {
    if (key.name == "mirror.directory") return "required";
    if (key.name == "state.file") return "DIRECTORY/state.db";
    return fmt::format("{}", fmt::join(key.print(Config{}), " "));
}

}  // namespace

std::string help_text() {
    std::string text(introduction);
    for (const ConfigKey& key : config_keys()) {
        const std::string standard = default_of(key);
        text += fmt::format("  --{} {}{}\n      {}\n", key.name, key.form,
                            standard.empty() ? "" : fmt::format("  [{}]", standard), key.meaning);
    }
    return text.append(conclusion);
}

}  // namespace pep381d
