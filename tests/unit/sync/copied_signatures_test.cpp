// Whatever breaks, the master may be away when the mirror goes on: what lies there then stays.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/faults/scenario.h"
#include "support/signers.h"

using namespace pep381d;
using faults::Disks;
using faults::Fate;
using faults::Scenario;
using faults::Volume;

namespace {

// The signatures that are of another page than the one beside them.
std::set<std::string> strange(const Volume& tree, const std::vector<PublicKey>& keys) {
    const std::string signatures = "web/serversig/";
    std::set<std::string> all;
    for (const auto& [path, file] : tree.names()) {
        if (!path.starts_with(signatures)) continue;
        const auto page = tree.find("web/simple/" + path.substr(signatures.size()) + "/index.html");
        if (!page) continue;
        const auto verifies = [&](const PublicKey& key) {
            return key.verifies(page->bytes, file->bytes);
        };
        if (std::none_of(keys.begin(), keys.end(), verifies)) all.insert(path);
    }
    return all;
}

}  // namespace

TEST_CASE("wherever a pass breaks, a copied page lies beside no other page's signature",
          "[every-place]") {
    const auto one = sample::quick_signer(0), other = sample::quick_signer(1);
    const std::vector<PublicKey> keys = {one->keys().dsa.public_key(),
                                         other->keys().dsa.public_key()};
    for (const Scenario& scenario : {faults::copies_changed(one), faults::copies_begun(one),
                                     faults::master_key_changed(one, other)})
        for (int n = 1;; ++n) {
            Disks disks = scenario.start;
            Fate fate(faults::Fault::stop, n);
            (void)scenario.errand(disks, scenario.master, scenario.policy, faults::second_time,
                                  fate, {});
            INFO(scenario.name << ": stop at " << n);
            REQUIRE(strange(disks.tree, keys).empty());
            if (!fate.struck()) break;
        }
}
