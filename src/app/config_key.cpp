#include "pep381d/app/config_key.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "pep381d/app/config_value.h"
#include "pep381d/base/units.h"

namespace pep381d {

namespace {

using Words = std::vector<std::string>;

std::string text_of(const std::string& value) {
    return value;
}
std::string text_of(bool value) {
    return value ? "true" : "false";
}
std::string text_of(int value) {
    return fmt::format("{}", value);
}
std::string text_of(double value) {
    return fmt::format("{}", value);
}
std::string text_of(std::int64_t value) {
    return format_size(value);
}
std::string text_of(const Reserve& value) {
    return value.percent > 0 ? fmt::format("{}%", value.percent) : format_size(value.amount);
}
std::string text_of(Protocol value) {
    return std::string(name_of(value));
}
std::string text_of(std::chrono::milliseconds value) {
    return format_duration(value);
}

// Most rows: a member of Config, and the function that makes its value from text.
template <auto Member, auto Parse>
ConfigKey scalar(std::string_view name, std::string_view form, std::string_view accepted,
                 std::string_view meaning) {
    const auto read = [](Config& config, const std::string& text) {
        const auto value = Parse(text);
        if (value) config.*Member = *value;
        return value.has_value();
    };
    const auto print = [](const Config& config) { return Words{text_of(config.*Member)}; };
    return {name, form, meaning, accepted, false, read, print, nullptr};
}

template <auto Member, bool may_be_empty>
ConfigKey patterns(std::string_view name, std::string_view accepted, std::string_view meaning) {
    const auto read = [](Config& config, const std::string& text) {
        if (!is_name_pattern(text)) return text.empty() && may_be_empty;
        (config.*Member).push_back(text);
        return true;
    };
    const auto print = [](const Config& config) { return config.*Member; };
    const auto clear = [](Config& config) { (config.*Member).clear(); };
    return {name, "NAME...", meaning, accepted, true, read, print, clear};
}

bool read_format(Config& config, const std::string& text) {
    if (text == "html")
        config.pages_html = true;
    else if (text == "json")
        config.pages_json = true;
    else
        return false;
    return true;
}

Words print_formats(const Config& config) {
    Words formats;
    if (config.pages_html) formats.emplace_back("html");
    if (config.pages_json) formats.emplace_back("json");
    return formats;
}

void clear_formats(Config& config) {
    config.pages_html = config.pages_json = false;
}

std::optional<bool> parse_deletes_policy(const std::string& text) {
    if (text != "mirror" && text != "keep") return std::nullopt;
    return text == "keep";
}

ConfigKey deletes_policy() {
    ConfigKey key = scalar<&Config::deletes_keep, parse_deletes_policy>(
        "deletes.policy", "mirror|keep", "mirror or keep",
        "what to do with that which the master removes: remove it here too, or keep it");
    key.print = [](const Config& config) { return Words{config.deletes_keep ? "keep" : "mirror"}; };
    return key;
}

std::optional<bool> parse_pages_mode(const std::string& text) {
    if (text != "regenerate" && text != "copy") return std::nullopt;
    return text == "copy";
}

ConfigKey pages_mode() {
    ConfigKey key = scalar<&Config::pages_copy, parse_pages_mode>(
        "pages.mode", "regenerate|copy", "regenerate or copy",
        "make the pages here, or copy the master's own with its signatures (PEP 381)");
    key.print = [](const Config& config) {
        return Words{config.pages_copy ? "copy" : "regenerate"};
    };
    return key;
}

ConfigKey ip_version() {
    ConfigKey key = scalar<&Config::master_ip_version, parse_ip_version>(
        "master.ip-version", "any|4|6", "any, 4 or 6",
        "connect by this version of IP only: to the master, its file hosts, alternates, the proxy");
    key.print = [](const Config& config) {
        return Words{config.master_ip_version == 0 ? "any" : text_of(config.master_ip_version)};
    };
    return key;
}

bool read_alternate(Config& config, const std::string& text) {
    const auto base = parse_alternate(text);
    if (base) config.files_alternates.push_back(*base);
    return base || text.empty();
}

ConfigKey alternates() {
    const auto print = [](const Config& config) { return config.files_alternates; };
    const auto clear = [](Config& config) { config.files_alternates.clear(); };
    return {"files.alternates",
            "URL...",
            "hosts to ask for files, in this order, before the master's own; URL/packages/... is "
            "asked",
            "base URLs as http:// or https://, without /packages, query and fragment",
            true,
            read_alternate,
            print,
            clear};
}

// Inodes are counted without units.
ConfigKey reserved_inodes() {
    ConfigKey key = scalar<&Config::mirror_min_free_inodes, parse_reserved_inodes>(
        "mirror.min-free-inodes", "COUNT|PERCENT%",
        "a number such as 100000, or a part such as 0.1%", "the same, in inodes");
    key.print = [](const Config& config) {
        const Reserve& value = config.mirror_min_free_inodes;
        return Words{value.percent > 0 ? text_of(value) : fmt::format("{}", value.amount)};
    };
    return key;
}

constexpr std::string_view flag_form = "true or false";
constexpr std::string_view duration_form = "a duration such as 90s, 15min, 24h or 30d";
constexpr std::string_view positive_form = "a duration above 0 such as 90s, 15min, 24h or 30d";
constexpr std::string_view count_form = "a whole number from 1 to 1000";
constexpr std::string_view pattern_form =
    "project names, or patterns with *, of letters, digits, `.`, `_` and `-`";

// Rows of one section stand together: print_config writes them in this order. Three functions
// because one would be long.
void add_mirror_and_state(std::vector<ConfigKey>& keys) {
    keys.push_back(scalar<&Config::mirror_directory, parse_path>(
        "mirror.directory", "DIRECTORY", "a directory, without a comment behind it",
        "holds web/ (the tree that a web server publishes) and staging/, on one file system"));
    keys.push_back(scalar<&Config::mirror_min_free, parse_reserved_bytes>(
        "mirror.min-free", "SIZE|PERCENT%",
        "a size such as 1GiB, or a part of the disk such as 0.1%",
        "nothing more is fetched while less than this is free on the disk of the tree or the "
        "state"));
    keys.push_back(reserved_inodes());
    keys.push_back(scalar<&Config::state_file, parse_path>(
        "state.file", "FILE", "a file, without a comment behind it",
        "the database of what the mirror holds; on a local disk, outside of web and staging"));
}

void add_master(std::vector<ConfigKey>& keys) {
    keys.push_back(scalar<&Config::master_url, parse_master_url>(
        "master.url", "URL",
        "the master's base as http:// or https:// URL, without /simple, /pypi, query and fragment",
        "the index to mirror; XML-RPC is at URL/pypi, pages at URL/simple/"));
    keys.push_back(scalar<&Config::master_protocol,
                          [](const std::string& text) { return protocol_named(text); }>(
        "master.protocol", "auto|warehouse|pep381|simple", "auto, warehouse, pep381 or simple",
        "what the master speaks: PyPI's journal, that of before 2013, pages alone; auto finds "
        "out"));
    keys.push_back(scalar<&Config::master_poll_interval, parse_positive_duration>(
        "master.poll-interval", "DURATION", positive_form,
        "how often to ask the master what changed"));
    keys.push_back(scalar<&Config::master_reconcile_interval, parse_positive_duration>(
        "master.reconcile-interval", "DURATION", positive_form,
        "how often to compare all names and serials with the master's"));
    keys.push_back(scalar<&Config::master_sweep_interval, parse_duration>(
        "master.sweep-interval", "DURATION", duration_form,
        "`run` asks for every page once in so long, for what no journal says; 0: never"));
    keys.push_back(scalar<&Config::master_max_requests, parse_request_count>(
        "master.max-requests", "COUNT", count_form, "requests in flight to the master"));
    keys.push_back(scalar<&Config::master_contact,
                          [](const std::string& text) { return std::optional(text); }>(
        "master.contact", "CONTACT", "a mail address or a URL",
        "mail address or URL put into the User-Agent, for the master's operators"));
    keys.push_back(scalar<&Config::master_ca_file, parse_optional_path>(
        "master.ca-file", "FILE", "a file, without a comment behind it",
        "PEM file of the certificate authorities to trust, instead of the system's"));
    keys.push_back(scalar<&Config::master_proxy, parse_proxy>(
        "master.proxy", "URL", "a proxy as http://, https:// or socks5h:// URL",
        "proxy for all requests to the master and to the hosts of its files"));
    keys.push_back(ip_version());
    keys.push_back(scalar<&Config::master_timeout, parse_positive_duration>(
        "master.timeout", "DURATION", positive_form,
        "give a request up when no byte came for so long, or hardly any"));
    keys.push_back(scalar<&Config::master_patience, parse_duration>(
        "master.patience", "DURATION", duration_form,
        "how long one `sync` waits in all for retries, stale pages and rate limits"));
}

void add_files_pages_and_filter(std::vector<ConfigKey>& keys) {
    keys.push_back(scalar<&Config::files_enabled, parse_flag>(
        "files.enabled", "true|false", flag_form,
        "false: pages only, with links to the master's own files"));
    keys.push_back(scalar<&Config::files_max_requests, parse_request_count>(
        "files.max-requests", "COUNT", count_form, "files fetched at the same time"));
    keys.push_back(scalar<&Config::files_rate_limit, parse_size>(
        "files.rate-limit", "SIZE", "bytes a second such as 500KiB or 20MiB, or 0",
        "bytes a second that all transfers of files share; 0: no limit"));
    keys.push_back(alternates());
    keys.push_back(scalar<&Config::files_core_metadata, parse_flag>(
        "files.core-metadata", "true|false", flag_form,
        "carry the .metadata of wheels (PEP 658), which spares pip whole downloads"));
    keys.push_back(pages_mode());
    keys.push_back({"pages.formats", "FORMAT...", "the formats of pages", "html, json, or both",
                    true, read_format, print_formats, clear_formats});
    keys.push_back(scalar<&Config::pages_root_interval, parse_duration>(
        "pages.root-interval", "DURATION", duration_form,
        "`run` rewrites the root index at most so often; at once for a removal"));
    keys.push_back(patterns<&Config::filter_projects, false>(
        "filter.projects", pattern_form,
        "mirror only these projects; * stands for any characters"));
    keys.push_back(patterns<&Config::filter_block, true>(
        "filter.block", pattern_form, "never these projects, whatever else is said"));
}

void add_deletes_and_program(std::vector<ConfigKey>& keys) {
    keys.push_back(deletes_policy());
    keys.push_back(scalar<&Config::deletes_max_fraction, parse_fraction>(
        "deletes.max-fraction", "FRACTION", "a number from 0 to 1 such as 0.05",
        "hold deletions back that exceed both 10 projects and this part of all, until "
        "allow-deletions"));
    keys.push_back(scalar<&Config::deletes_grace, parse_duration>(
        "deletes.grace", "DURATION", duration_form,
        "how long `run` keeps a file after the page that dropped it"));
    keys.push_back(scalar<&Config::signing_key, parse_optional_path>(
        "signing.key", "FILE", "a file, without a comment behind it",
        "the private key (DSA; FILE.ed25519 beside it) that every page is signed with; `keygen` "
        "makes both"));
    keys.push_back(scalar<&Config::verify_interval, parse_duration>(
        "verify.interval", "DURATION", duration_form,
        "`run` verifies and repairs the whole mirror once in so long, beside its work; 0: never"));
    keys.push_back(scalar<&Config::listen_address, parse_listen_address>(
        "listen.address", "ADDRESS:PORT",
        "ADDRESS:PORT such as 127.0.0.1:8381 or [::1]:8381, or nothing",
        "where the embedded web server of `run` and `serve` listens; empty: `run` starts none"));
    keys.push_back(scalar<&Config::log_level, parse_log_level>(
        "log.level", "LEVEL", "debug, info, warning or error", "the least that is logged"));
}

std::string_view section_of(const ConfigKey& key) {
    return key.name.substr(0, key.name.find('.'));
}

// Levenshtein's.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

std::string suggest(std::string_view name, std::string_view (*candidate_of)(const ConfigKey&)) {
    if (name.size() > 100) return {};  // no slip of the finger, and the distance costs its square
    std::string_view nearest;
    std::size_t least = name.size() / 2 + 1;
    for (const ConfigKey& key : config_keys())
        if (const std::size_t distance = edit_distance(name, candidate_of(key)); distance < least) {
            least = distance;
            nearest = candidate_of(key);
        }
    return nearest.empty() ? std::string{} : fmt::format(" (did you mean {}?)", nearest);
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
    static const std::vector<ConfigKey> keys = [] {
        std::vector<ConfigKey> all;
        add_mirror_and_state(all);
        add_master(all);
        add_files_pages_and_filter(all);
        add_deletes_and_program(all);
        return all;
    }();
    return keys;
}

const ConfigKey* find_config_key(std::string_view name) {
    for (const ConfigKey& key : config_keys())
        if (key.name == name) return &key;
    return nullptr;
}

bool is_config_section(std::string_view section) {
    return std::any_of(config_keys().begin(), config_keys().end(),
                       [&](const ConfigKey& key) { return section_of(key) == section; });
}

std::string suggest_config_key(std::string_view name) {
    return suggest(name, [](const ConfigKey& key) { return key.name; });
}

std::string suggest_config_section(std::string_view section) {
    return suggest(section, section_of);
}

}  // namespace pep381d
