#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "pep381d/app/config.h"
#include "pep381d/app/config_file.h"
#include "pep381d/app/config_key.h"
#include "pep381d/app/copying.h"
#include "pep381d/app/signing.h"
#include "pep381d/base/descriptor.h"
#include "pep381d/base/log.h"

namespace pep381d {

namespace {

namespace po = boost::program_options;

constexpr const char* default_file = "/etc/pep381d.conf";
constexpr const char* from_command_line = "command line";

struct ReadOptions {
    CommandLine line;
    std::vector<ConfigSetting> settings;
    std::optional<std::string> file;
};

// Boost refuses `--KEY=` with nothing behind it, yet an empty value is one (listen.address): the
// same in two words.
std::vector<std::string> split_empty_values(int argc, const char* const* argv) {
    std::vector<std::string> tokens;
    for (int i = 1; i < argc; ++i) {
        std::string token = argv[i];
        const bool empty_value =
            token.starts_with("--") && token.size() > 3 && token.find('=') == token.size() - 1;
        if (empty_value) token.pop_back();
        tokens.push_back(std::move(token));
        if (empty_value) tokens.emplace_back();
    }
    return tokens;
}

std::vector<po::option> parse(const std::vector<std::string>& tokens) {
    po::options_description options;
    options.add_options()("help,h", "")("version", "")("config", po::value<std::string>(), "");
    for (const ConfigKey& key : config_keys())
        options.add_options()(std::string(key.name).c_str(), po::value<std::string>(), "");
    // No guessing of names cut short: a script that relied on it would break with the next key.
    const auto style = po::command_line_style::unix_style ^ po::command_line_style::allow_guessing ^
                       po::command_line_style::allow_sticky;
    return po::command_line_parser(tokens)
        .options(options)
        .style(style)
        .allow_unregistered()
        .run()
        .options;
}

// Options of a command (`status --json`) are the command's business; those with a dot mean a key.
void read_unknown(const po::option& option, ReadOptions& read) {
    const std::string& name = option.string_key;
    if (!read.line.command.empty() && name.find('.') == std::string::npos)
        read.line.arguments.push_back(option.original_tokens.front());
    else
        read.line.mistakes.push_back({from_command_line, pep381d::quoted(name),
                                      "unknown option" + suggest_config_key(name)});
}

void read_option(const po::option& option, ReadOptions& read) {
    if (option.unregistered) return read_unknown(option, read);
    if (option.string_key == "help") {
        read.line.help = true;
    } else if (option.string_key == "version") {
        read.line.version = true;
    } else if (option.string_key == "config") {
        read.file = option.value.front();
    } else if (!option.string_key.empty()) {
        read.settings.push_back({from_command_line, option.string_key, option.value.front()});
    } else if (read.line.command.empty()) {
        read.line.command = option.value.front();
    } else {
        read.line.arguments.push_back(option.value.front());
    }
}

ReadOptions read_options(int argc, const char* const* argv) {
    ReadOptions read;
    try {
        for (const po::option& option : parse(split_empty_values(argc, argv)))
            read_option(option, read);
    } catch (const po::error_with_option_name& error) {
        std::string name = error.get_option_name();
        name.erase(0, name.find_first_not_of('-'));
        read.line.mistakes.push_back({from_command_line, pep381d::quoted(name), error.what()});
    } catch (const po::error& error) {
        read.line.mistakes.push_back({from_command_line, "", error.what()});
    }
    read.line.help = read.line.help || read.line.command == "help";
    read.line.version = read.line.version || read.line.command == "version";
    return read;
}

// Nothing on an error, told by errno.
std::optional<std::string> read_bytes(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    std::string bytes;
    std::array<char, 8192> part{};
    for (;;) {
        const ssize_t count = ::read(file.get(), part.data(), part.size());
        if (count < 0) return std::nullopt;
        if (count == 0) return bytes;
        bytes.append(part.data(), static_cast<std::size_t>(count));
    }
}

std::vector<ConfigSetting> read_file(const std::string& path,
                                     std::vector<ConfigMistake>& mistakes) {
    if (const auto text = read_bytes(path)) return read_config_file(*text, path, mistakes);
    mistakes.push_back(
        {path, "--config", fmt::format("cannot read this file: {}", std::strerror(errno))});
    return {};
}

bool needs_mirror(const std::string& command) {
    return !command.empty() && command != "keygen" && command != "verify-page";
}

std::string said_by(const ReadOptions& read, std::string_view key) {
    const bool by_option =
        std::any_of(read.settings.begin(), read.settings.end(),
                    [&](const ConfigSetting& setting) { return setting.key == key; });
    return by_option ? from_command_line : read.file.value_or(from_command_line);
}

// The others need no key, and may be run by users who cannot read it.
bool signs(const CommandLine& line) {
    const auto& arguments = line.arguments;
    const bool repairs = line.command == "verify" && std::find(arguments.begin(), arguments.end(),
                                                               "--repair") != arguments.end();
    return repairs || line.command == "run" || line.command == "sync" ||
           line.command == "check-config";
}

}  // namespace

bool is_within(const std::string& inner, const std::string& outer) {
    namespace fs = std::filesystem;
    // What may not be looked into is taken as it is written.
    const auto led_to = [](const std::string& path) {
        std::error_code error;
        const fs::path whole = fs::absolute(path, error);
        const fs::path known = fs::weakly_canonical(whole, error);
        return error ? whole.lexically_normal() : known;
    };
    const fs::path relative = led_to(inner).lexically_relative(led_to(outer));
    return !relative.empty() && *relative.begin() != "..";
}

CommandLine read_command_line(int argc, const char* const* argv) {
    ReadOptions read = read_options(argc, argv);
    CommandLine& line = read.line;
    if (line.help || line.version) return line;

    if (!read.file && std::filesystem::exists(default_file)) read.file = default_file;
    if (read.file) apply_settings(read_file(*read.file, line.mistakes), line.config, line.mistakes);
    apply_settings(read.settings, line.config, line.mistakes);

    const bool told =
        std::any_of(line.mistakes.begin(), line.mistakes.end(),
                    [](const ConfigMistake& mistake) { return mistake.key == "mirror.directory"; });
    if (line.config.mirror_directory.empty() && needs_mirror(line.command) && !told)
        line.mistakes.push_back({read.file.value_or(from_command_line), "mirror.directory",
                                 "missing: say where the mirror is to lie"});
    if (line.config.state_file.empty() && !line.config.mirror_directory.empty())
        line.config.state_file = line.config.mirror_directory + "/state.db";
    for (const char* ours : {"/web", "/staging"})
        if (!line.config.mirror_directory.empty() &&
            is_within(line.config.state_file, line.config.mirror_directory + ours))
            line.mistakes.push_back({said_by(read, "state.file"), "state.file",
                                     fmt::format("{} lies in the mirror's {}, which is not its "
                                                 "place: set it to a path outside of that",
                                                 line.config.state_file, ours + 1)});
    if (!signs(line)) return line;
    for (const CopyConflict& conflict : copy_conflicts(line.config))
        line.mistakes.push_back({said_by(read, conflict.key), conflict.key, conflict.what});
    if (const auto mistake = load_signing_keys(line.config))
        line.mistakes.push_back({said_by(read, "signing.key"), "signing.key", *mistake});
    return line;
}

}  // namespace pep381d
