#include "pep381d/app/signals.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/signalfd.h>

#include "pep381d/base/outcome.h"

namespace pep381d {

Signals::Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    // A reader that goes away must not end the daemon.
    std::signal(SIGPIPE, SIG_IGN);
    descriptor_ = Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor_)
        throw Fatal(5, std::string("cannot receive signals: ") + std::strerror(errno));
}

Command Signals::command() {
    Command command = Command::none;
    signalfd_siginfo info{};
    while (read(descriptor_.get(), &info, sizeof info) == sizeof info) {
        const int signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGTERM || signal == SIGINT)
            command = Command::stop;
        else if (signal == SIGHUP && command != Command::stop)
            command = Command::reload;
        else if (signal == SIGUSR1 && command == Command::none)
            command = Command::poll;
    }
    return command;
}

void Signals::wait_for_stop() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    int signal = 0;
    sigwait(&set, &signal);
}

}  // namespace pep381d
