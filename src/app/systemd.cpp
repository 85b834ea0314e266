#include "pep381d/app/systemd.h"

#include <chrono>

#ifdef PEP381D_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace pep381d {

#ifdef PEP381D_SYSTEMD

void systemd_ready() {
    sd_notify(0, "READY=1");
}
void systemd_stopping() {
    sd_notify(0, "STOPPING=1");
}

void systemd_alive() {
    static const bool asked = sd_watchdog_enabled(0, nullptr) > 0;
    static std::chrono::steady_clock::time_point last;
    const auto now = std::chrono::steady_clock::now();
    if (!asked || now - last < std::chrono::seconds(1)) return;
    last = now;
    sd_notify(0, "WATCHDOG=1");
}

#else

void systemd_ready() {}
void systemd_stopping() {}
void systemd_alive() {}

#endif

}  // namespace pep381d
