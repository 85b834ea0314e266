// The configuration (design 1.2): what may be set, its defaults, and how it is read. INI file and
// command line carry the same keys; the command line wins.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pep381d/base/room.h"
#include "pep381d/base/signing_keys.h"
#include "pep381d/master/protocol.h"

namespace pep381d {

struct Config {
    std::string mirror_directory;
    Reserve mirror_min_free{0, 0.1};
    Reserve mirror_min_free_inodes{0, 0.1};
    std::string state_file;  // filled with DIRECTORY/state.db where not set

    std::string master_url = "https://pypi.org";  // without a slash at the end
    Protocol master_protocol = Protocol::automatic;
    std::chrono::milliseconds master_poll_interval{std::chrono::seconds(60)};
    std::chrono::milliseconds master_reconcile_interval{std::chrono::hours(24)};
    std::chrono::milliseconds master_sweep_interval{std::chrono::hours(30 * 24)};  // 0: never
    int master_max_requests = 10;
    std::string master_contact;
    std::string master_ca_file;
    std::string master_proxy;
    int master_ip_version = 0;  // 4 or 6; 0: either
    std::chrono::milliseconds master_timeout{std::chrono::seconds(30)};
    std::chrono::milliseconds master_patience{std::chrono::seconds(20)};

    bool files_enabled = true;
    int files_max_requests = 32;
    std::int64_t files_rate_limit = 0;          // bytes a second; 0: none
    std::vector<std::string> files_alternates;  // base URLs, without a slash at the end
    bool files_core_metadata = true;

    bool pages_copy = false;  // pages.mode
    bool pages_html = true;   // pages.formats
    bool pages_json = true;
    std::chrono::milliseconds pages_root_interval{std::chrono::minutes(5)};

    std::vector<std::string> filter_projects{"*"};  // as written; names or patterns with `*`
    std::vector<std::string> filter_block;

    bool deletes_keep = false;  // deletes.policy
    double deletes_max_fraction = 0.05;
    std::chrono::milliseconds deletes_grace{std::chrono::minutes(15)};

    std::string signing_key;  // path; empty: pages are not signed
    // What lies there, as it was when the configuration was read for a command that signs.
    std::shared_ptr<const SigningKeys> signing_keys;

    std::chrono::milliseconds verify_interval{std::chrono::hours(30 * 24)};  // 0: never

    std::string listen_address = "127.0.0.1:8381";  // empty: no embedded server
    std::string log_level = "info";
};

// One mistake: `where` is `FILE:LINE` or `command line`.
struct ConfigMistake {
    std::string where;
    std::string key;
    std::string what;  // the cause and what to write instead
};

struct CommandLine {
    Config config;
    std::vector<ConfigMistake> mistakes;  // empty: config is good
    std::string command;                  // empty: none given
    std::vector<std::string>
        arguments;  // what follows the command, its own options (`--json`) included
    bool help = false;
    bool version = false;
};

// Reads the command line and the file that --config names (or /etc/pep381d.conf where it is not
// given and that exists). Never throws for a mistake of the user: all of them are collected.
CommandLine read_command_line(int argc, const char* const* argv);

// Whether one path is the other or lies in it, symbolic links followed.
bool is_within(const std::string& inner, const std::string& outer);

// The effective configuration as an INI file that read_command_line reads back to the same values.
std::string print_config(const Config& config);

// The text of --help: commands, every key with its default and meaning, exit statuses.
std::string help_text();

}  // namespace pep381d
