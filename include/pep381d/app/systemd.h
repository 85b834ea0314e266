// What systemd is told, where it asks: readiness and a sign of life from the loop. Nothing happens
// under other supervisors.
#pragma once

namespace pep381d {

void systemd_ready();
void systemd_alive();  // cheap; at most one message a second is sent
void systemd_stopping();

}  // namespace pep381d
