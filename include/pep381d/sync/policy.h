// The part of the configuration that the sync itself follows.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pep381d/master/protocol.h"
#include "pep381d/net/retry.h"
#include "pep381d/plan/filter.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/sync/signer.h"

namespace pep381d {

// A loss that nothing explains is looked at again after this long, and believed when it is seen
// again then (design 2.5). The loop judges what the committer put off: both need the same.
inline constexpr std::chrono::minutes second_look{10};

// Nothing is put off for longer, whatever a peer asks for (net/retry.h).
inline constexpr std::chrono::hours longest_wait{24};

struct Policy {
    std::string master;        // base URL
    std::string master_shown;  // the same without a password, for people to read
    std::string contact;
    Protocol protocol = Protocol::warehouse;  // automatic: what the master was found to speak
    Filter filter{{"*"}, {}};
    PagePolicy page;
    bool html = true;  // pages.formats
    bool json = true;
    bool copy = false;               // pages.mode = copy: the HTML is the master's own
    std::shared_ptr<Signer> signer;  // with signing.key; null: pages are not signed
    bool keep_deleted = false;       // deletes.policy = keep
    double max_deleted_fraction = 0.05;
    std::chrono::milliseconds grace{0};  // deletes.grace; none in a single pass
    std::chrono::milliseconds root_interval{
        0};  // pages.root-interval; 0: only when asked to finish
    std::chrono::milliseconds poll_interval{std::chrono::seconds(60)};
    std::chrono::milliseconds reconcile_interval{std::chrono::hours(24)};
    std::chrono::milliseconds patience{std::chrono::seconds(20)};
    std::chrono::milliseconds timeout{std::chrono::seconds(30)};
    double (*random)() = random_share;  // how much of a pause is taken; tests fix it
    int master_requests = 10;
    int file_requests = 32;
    std::vector<std::string> alternates;  // files.alternates: base URLs
    std::int64_t file_rate = 0;           // bytes a second that all files share; 0: no limit
};

}  // namespace pep381d
