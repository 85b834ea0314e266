// The sample master as a program, for `make run` and for tests in other languages.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include "support/sample_master.h"

namespace {

constexpr auto help =
    "sample-master: a small PyPI made of a seed, to try a mirror on\n\n"
    "  --listen ADDRESS:PORT        index pages, XML-RPC and control (127.0.0.1:8380)\n"
    "  --files-listen ADDRESS:PORT  files (127.0.0.1:0, any free port)\n"
    "  --projects N                 how many projects (60)\n"
    "  --files N                    about how many files (300)\n"
    "  --seed N                     another seed is another PyPI (1)\n"
    "  --era NAME                   warehouse, pep381 or simple: what it speaks (warehouse)\n\n"
    "Its first line of output names both addresses. It runs until SIGTERM or SIGINT.\n"
    "Control, form-encoded, below POST /+sample/: event, random, fault, fault/clear, raw, "
    "raw/clear, extra,\n"
    "requests/reset; and GET /+sample/requests. tests/support/README.md tells their fields.\n";

sample::Era era_named(const std::string& name) {
    if (name == "warehouse") return sample::Era::warehouse;
    if (name == "pep381") return sample::Era::pep381;
    if (name == "simple") return sample::Era::simple;
    throw std::invalid_argument("no era is called " + name);
}

sample::Options options_from(int count, char** words) {
    sample::Options options;
    options.address = "127.0.0.1:8380";
    for (int i = 1; i < count; i += 2) {
        const std::string key = words[i];
        if (i + 1 == count) throw std::invalid_argument("no value after " + key);
        const std::string value = words[i + 1];
        if (key == "--listen")
            options.address = value;
        else if (key == "--files-listen")
            options.files_address = value;
        else if (key == "--projects")
            options.projects = std::stoi(value);
        else if (key == "--files")
            options.files = std::stoi(value);
        else if (key == "--seed")
            options.seed = std::stoull(value);
        else if (key == "--era")
            options.era = era_named(value);
        else
            throw std::invalid_argument("unknown option " + key + " (try --help)");
    }
    return options;
}

// Blocked before any thread starts, so that only sigwait() sees them.
sigset_t blocked_signals() {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    return ends;
}

}  // namespace

int main(int count, char** words) {
    for (int i = 1; i < count; ++i)
        if (std::string{words[i]} == "--help") return std::fputs(help, stdout) < 0;
    try {
        const auto options = options_from(count, words);
        const auto ends = blocked_signals();
        std::signal(SIGPIPE, SIG_IGN);
        const sample::SampleMaster master{options};
        std::printf("listening %s files %s\n", master.url().c_str(), master.files_url().c_str());
        std::fflush(stdout);
        int signal = 0;
        sigwait(&ends, &signal);
        return EXIT_SUCCESS;
    } catch (const std::logic_error& error) {
        std::fprintf(stderr, "sample-master: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sample-master: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
