// The public halves of the mirror's own keys, as web/serverkey and web/serverkey.ed25519 (PEP 381).
//
// Thread rule: the committer's. Failures are Fatal(5).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pep381d/base/signing_keys.h"
#include "pep381d/sync/policy.h"
#include "pep381d/tree/file_tree.h"

namespace pep381d {

// Those of the policy, where all pages are signed with them. Any other is removed: a client would
// take a page that is signed with the next or the last key for a forged one. Durable when it
// returns, and nothing is written where nothing changes.
void publish_server_keys(FileTree& tree, const Policy& policy, bool all_signed);

// Both as one text, which the state keeps for who verifies without the private keys; empty: none.
std::string server_keys_text(const Policy& policy);
// Null for what is not such a text.
std::shared_ptr<const ServerKeys> read_server_keys(std::string_view text);

}  // namespace pep381d
