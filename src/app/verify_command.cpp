#include "pep381d/app/verify_command.h"

#include <algorithm>
#include <cstdio>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>

#include "pep381d/app/ending.h"
#include "pep381d/app/mirror.h"
#include "pep381d/app/progress.h"
#include "pep381d/app/signals.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/sync/round.h"

namespace pep381d {

namespace {

// What is done between two looks at the signals.
constexpr std::size_t slice = 4 << 20;

int threads() {
    return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 64U));
}

// `kind path: cause`, and what became of it.
void print(const Finding& finding, const char* outcome) {
    std::printf("%s %s: %s%s\n", std::string(name_of(finding.flaw)).c_str(),
                quoted(finding.path).c_str(), finding.cause.c_str(), outcome);
    std::fflush(stdout);
}

struct Count {
    std::int64_t found = 0;
    std::string first;  // what is told of it on the last line
    void add(const Finding& finding) {
        if (!is_fault(finding.flaw)) return;
        if (++found == 1) first = fmt::format("{}: {}", quoted(finding.path), finding.cause);
    }
};

void tell_if_partial(State& state, Log& log) {
    if (may_be_lost(state))
        log.warning(
            "verify_partial cause=\"the state does not know all projects yet: what it does not "
            "know "
            "is not looked at; let `pep381d sync` end\"");
}

int end_look(const Config& config, const Count& count, bool more) {
    if (count.found > 0)
        return end_with(1, fmt::format("{} found: {}", count.found, count.first),
                        "`pep381d verify --repair` mends what it can");
    if (more)
        return end_with(1, config.mirror_directory + ": stopped before the end",
                        "`pep381d verify` goes on");
    return 0;
}

int look(const CommandLine& line, bool hash) {
    const Config& config = line.config;
    Signals signals;
    SystemClock clock;
    StderrLog log(level_of(config));
    // Beside a daemon nothing can be noted in the state, and the round begins at its beginning.
    const bool beside = DirectoryTree::is_held(config.mirror_directory);
    DirectoryTree tree(config.mirror_directory,
                       beside ? DirectoryTree::Access::read : DirectoryTree::Access::write);
    State state(config.state_file, beside ? State::Access::read : State::Access::write);
    Round round(state, tree, hash ? RoundKind::command : RoundKind::looks, threads(), clock,
                !beside, true);
    if (beside) log.info("verify_beside cause=\"another pep381d works on this mirror\"");
    if (const auto why = why_apart(state, shown_changes(tree)))
        return end_with(5, fmt::format("{}: {}", config.mirror_directory, *why),
                        "let `pep381d sync` read all pages again");
    tell_if_partial(state, log);
    if (round.resumed())
        log.info(fmt::format("verify_resumed began={} projects={} of={}", format_iso(round.began()),
                             round.projects(), round.of()));
    Count count;
    ProgressLine progress(clock, log);
    bool more = true;
    while (more && signals.command() != Command::stop) {
        more = round.go_on(slice);
        const auto findings = round.verification().take();
        if (!findings.empty()) progress.clear();
        for (const Finding& finding : findings) {
            print(finding, "");
            count.add(finding);
        }
        progress.show_verified({round.projects(), round.of(), round.verification().bytes()});
    }
    progress.clear();
    log.info(fmt::format("verify_{} projects={} of={} bytes={} found={}", more ? "stopped" : "done",
                         round.projects(), round.of(), round.verification().bytes(), count.found));
    round.note_place();
    return end_look(config, count, more);
}

int repair(const CommandLine& line, bool hash) {
    Signals signals;
    SystemClock clock;
    StderrLog log(level_of(line.config));
    Mirror mirror(line.config, clock, log, signals);
    tell_if_partial(mirror.state(), log);
    Count left;
    ScrubPolicy scrub;
    scrub.hash = hash;
    scrub.threads = threads();
    scrub.tell = [&](const Finding& finding, bool mended) {
        print(finding, mended ? "; repaired" : is_fault(finding.flaw) ? "; not repaired" : "");
        if (!mended) left.add(finding);
    };
    const RepairResult result = mirror.repair(line.config, std::move(scrub));
    State& state = mirror.state();
    log.info(fmt::format("repair_{} found={} not_repaired={} pending={}",
                         result.stopped ? "stopped" : "done", result.found, result.not_mended,
                         state.pending()));
    if (result.pass && result.pass->poll)
        return end_with(3, result.pass->poll->what,
                        "what could be mended without it was; try again");
    if (result.pass)
        if (const int status = end_of_pass(*result.pass, line.config, state); status != 0)
            return status;
    if (const auto failing = state.failing_projects(1); !failing.empty())
        return end_with(1,
                        fmt::format("{} not in sync: {}", state.failing(), failing.front().cause),
                        "see `pep381d status`");
    if (left.found > 0)
        return end_with(1, fmt::format("{} not repaired: {}", left.found, left.first),
                        "mend that by hand");
    if (result.stopped)
        return end_with(1, line.config.mirror_directory + ": stopped before the end",
                        "`pep381d verify --repair` goes on");
    if (may_be_lost(state))
        return end_with(1, fmt::format("{} projects were not looked at", state.pending()),
                        "let `pep381d sync` end");
    return 0;
}

}  // namespace

int verify_command(const CommandLine& line) {
    bool hash = true, mend = false;
    for (const std::string& argument : line.arguments) {
        if (argument == "--no-hash")
            hash = false;
        else if (argument == "--repair")
            mend = true;
        else
            return end_with(2, fmt::format("verify takes no argument {}", quoted(argument)),
                            "see `pep381d --help`");
    }
    struct stat about {};
    if (stat(line.config.state_file.c_str(), &about) != 0)
        return end_with(5, line.config.state_file + ": there is no state",
                        "`pep381d sync` makes one; or check mirror.directory and state.file");
    return mend ? repair(line, hash) : look(line, hash);
}

}  // namespace pep381d
