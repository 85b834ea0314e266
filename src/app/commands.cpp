#include "pep381d/app/commands.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "pep381d/app/adopt.h"
#include "pep381d/app/ending.h"
#include "pep381d/app/mirror.h"
#include "pep381d/app/signals.h"
#include "pep381d/app/signing.h"
#include "pep381d/app/status_text.h"
#include "pep381d/app/systemd.h"
#include "pep381d/app/verify_command.h"
#include "pep381d/app/verify_page_command.h"
#include "pep381d/base/units.h"
#include "pep381d/pages/status_page.h"
#include "pep381d/serve/web_server.h"
#include "pep381d/sync/freshness.h"

namespace pep381d {

namespace {

int sync(const CommandLine& line) {
    const Policy policy = policy_of(line.config, false);
    for (const std::string& project : line.arguments) {
        const auto name = ProjectName::parse(project);
        if (!name)
            return end_with(2, fmt::format("{} is no legal project name", quoted(project)),
                            "check its spelling");
        if (!policy.filter.wants(*name))
            return end_with(
                2, fmt::format("{} is left out by filter.projects or filter.block", project),
                "change the filter first");
    }
    Signals signals;
    SystemClock clock;
    StderrLog log(level_of(line.config));
    Mirror mirror(line.config, clock, log, signals);
    const PassResult result = mirror.pass(line.config, line.arguments);
    const Totals totals = mirror.state().totals();
    log.info(fmt::format("pass_done projects={} files={} bytes={} pending={}", totals.projects,
                         totals.files, totals.bytes, mirror.state().pending()));
    return end_of_pass(result, line.config, mirror.state());
}

// SIGHUP: a configuration with mistakes changes nothing; nor can the mirror move while it is open.
Config reread(const Config& old, int argc, const char* const* argv, Log& log) {
    CommandLine line = read_command_line(argc, argv);
    for (const ConfigMistake& mistake : line.mistakes)
        log.error(fmt::format("config_refused where={} key={} cause={}", quoted(mistake.where),
                              mistake.key, quoted(mistake.what)));
    if (!line.mistakes.empty()) return old;
    for (const auto member : {&Config::mirror_directory, &Config::state_file,
                              &Config::listen_address, &Config::log_level}) {
        if (line.config.*member == old.*member) continue;
        log.warning(fmt::format("config_needs_restart old={} new={}", quoted(old.*member),
                                quoted(line.config.*member)));
        line.config.*member = old.*member;
    }
    log.info("config_reread");
    return line.config;
}

// There may be no room even to open the mirror. Null: a signal came before there was some.
std::unique_ptr<Mirror> open_mirror(const Config& config, const Clock& clock, Log& log,
                                    Signals& signals) {
    constexpr std::chrono::seconds pause{10};
    for (;;) {
        try {
            return std::make_unique<Mirror>(config, clock, log, signals);
        } catch (const DiskFull& full) {
            log.warning(fmt::format("paused cause={}", quoted(full.what())));
        }
        if (wait_for_signal(signals, pause) == Command::stop) return nullptr;
    }
}

int run(const CommandLine& line, int argc, const char* const* argv) {
    Signals signals;
    SystemClock clock;
    StderrLog log(level_of(line.config));
    Config config = line.config;
    const auto mirror = open_mirror(config, clock, log, signals);
    if (!mirror) return 0;
    std::optional<WebServer> server;
    if (!config.listen_address.empty()) {
        server.emplace(WebServerOptions{config.mirror_directory + "/web", config.listen_address},
                       log);
        log.info(fmt::format("serving address={} port={}", config.listen_address, server->port()));
    }
    log.info(fmt::format("started master={} directory={}", display_url(config.master_url),
                         config.mirror_directory));
    while (mirror->run(config) == Command::reload) config = reread(config, argc, argv, log);
    systemd_stopping();
    log.info("stopped");
    return 0;
}

int serve(const CommandLine& line) {
    Signals signals;
    StderrLog log(level_of(line.config));
    const std::string root = line.config.mirror_directory + "/web";
    if (line.config.listen_address.empty())
        return end_with(2, "listen.address is empty: nothing to serve on", "set it");
    struct stat about {};
    if (stat(root.c_str(), &about) != 0)
        return end_with(5, root + ": there is no tree",
                        "check mirror.directory, or run `pep381d sync` first");
    WebServer server({root, line.config.listen_address}, log);
    log.info(fmt::format("serving address={} port={}", line.config.listen_address, server.port()));
    systemd_ready();
    signals.wait_for_stop();
    return 0;
}

// Row by row: the record of years may be long.
void show_removals(State& state, bool json, const std::vector<ProjectName>& projects) {
    const char* between = "[";
    state.for_each_removal([&](const RemovalRecord& removal) {
        const auto asked_for = [&](const ProjectName& name) {
            return name.text() == removal.project;
        };
        if (!projects.empty() && std::none_of(projects.begin(), projects.end(), asked_for)) return;
        std::fputs(
            (json ? std::exchange(between, ",\n") + removal_json(removal) : removal_text(removal))
                .c_str(),
            stdout);
    });
    if (json) std::printf("%s]\n", *between == '[' ? between : "");
}

int status(const CommandLine& line) {
    bool json = false, removals = false;
    std::vector<ProjectName> projects;
    for (const std::string& argument : line.arguments) {
        json = json || argument == "--json";
        removals = removals || argument == "--removals";
        if (argument == "--json" || argument == "--removals") continue;
        auto name = ProjectName::parse(argument);
        if (!name)
            return end_with(2, fmt::format("status takes no argument {}", quoted(argument)),
                            "see `pep381d --help`");
        projects.push_back(std::move(*name));
    }
    if (!removals && !projects.empty())
        return end_with(2, "status takes projects with --removals only", "see `pep381d --help`");
    State state(line.config.state_file, State::Access::read);
    if (removals) {
        show_removals(state, json, projects);
        return 0;
    }
    constexpr std::size_t all = 1'000'000;
    const Status now =
        survey(state, policy_of(line.config, false), SystemClock().now(), json ? all : 50);
    std::fputs((json ? status_json(now) : status_text(now)).c_str(), stdout);
    return 0;
}

int allow_deletions(const CommandLine& line) {
    struct stat about {};
    if (stat(line.config.state_file.c_str(), &about) != 0)
        return end_with(5, line.config.state_file + ": there is no state",
                        "`pep381d sync` makes one; or check mirror.directory and state.file");
    // Beside a daemon that may be older: a state of another version is not made one of this.
    (void)State(line.config.state_file, State::Access::read);
    State state(line.config.state_file, State::Access::write);
    State::Change change(state);
    const auto allowed = state.allow_held();
    change.commit();
    std::printf(
        "%s\n",
        allowed == 0
            ? "nothing is held back"
            : fmt::format("{} deletions allowed; the next pass makes them", allowed).c_str());
    return 0;
}

int adopt(const CommandLine& line) {
    if (line.arguments.size() > 1)
        return end_with(2,
                        fmt::format("adopt takes one directory, not {} too",
                                    pep381d::quoted(line.arguments[1])),
                        "see `pep381d --help`");
    StderrLog log(level_of(line.config));
    adopt(line.config, line.arguments.empty() ? "" : line.arguments.front(), log);
    return 0;
}

int check_config(const CommandLine& line) {
    std::fputs(print_config(line.config).c_str(), stdout);
    return 0;
}

int usage(const CommandLine& line) {
    for (const ConfigMistake& mistake : line.mistakes)
        std::fprintf(stderr, "%s: %s%s%s\n", mistake.where.c_str(), mistake.key.c_str(),
                     mistake.key.empty() ? "" : ": ", mistake.what.c_str());
    const ConfigMistake& first = line.mistakes.front();
    return end_with(2, fmt::format("{}: {}: {}", first.where, first.key, first.what),
                    "mend it; `pep381d --help` lists the keys");
}

int dispatch(const CommandLine& line, int argc, const char* const* argv) {
    const std::string& command = line.command;
    const bool takes_arguments = command == "sync" || command == "status" || command == "adopt" ||
                                 command == "verify" || command == "verify-page";
    if (!line.arguments.empty() && !takes_arguments)
        return end_with(
            2, fmt::format("{} takes no argument {}", command, quoted(line.arguments.front())),
            "see `pep381d --help`");
    if (command == "sync") return sync(line);
    if (command == "verify") return verify_command(line);
    if (command == "verify-page") return verify_page_command(line);
    if (command == "run") return run(line, argc, argv);
    if (command == "serve") return serve(line);
    if (command == "status") return status(line);
    if (command == "allow-deletions") return allow_deletions(line);
    if (command == "adopt") return adopt(line);
    if (command == "check-config") return check_config(line);
    if (command == "keygen") return keygen(line.config);
    if (command.empty()) return end_with(2, "no command given", "see `pep381d --help`");
    return end_with(2, fmt::format("there is no command {}", quoted(command)),
                    "see `pep381d --help`");
}

}  // namespace

int run_command(const CommandLine& line, int argc, const char* const* argv) {
    umask(022);  // the tree is for everybody to read, whatever the shell says
    try {
        if (line.help) {
            std::fputs(help_text().c_str(), stdout);
            return 0;
        }
        if (line.version) {
            std::printf("pep381d %s\n", PEP381D_VERSION);
            return 0;
        }
        if (!line.mistakes.empty()) return usage(line);
        return dispatch(line, argc, argv);
    } catch (const Fatal& fatal) {
        return end_with(fatal);
    } catch (const std::exception& error) {
        return end_with(5, error.what(), "this is a defect; please report it");
    }
}

}  // namespace pep381d
