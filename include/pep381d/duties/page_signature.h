// What PEP 381 asks of clients: whether a page of any mirror has the signature that it should have.
//
// The PEP has them compute the signature and compare; with a public key one can only verify.
// Thread rule: the transport's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"
#include "pep381d/base/signature.h"
#include "pep381d/net/transport.h"

namespace pep381d {

// A page's URL in its parts: BASE/simple/NAME/.
struct PageAddress {
    std::string base;  // without a slash at the end
    std::string name;  // as it is written there; a legal one
};
std::optional<PageAddress> page_address(std::string_view url);

// The keys that the mirror itself shows: `serverkey`, and `serverkey.ed25519` where it has one.
//   gone         it has none, as one that copies pages
//   corrupt      something else came in the place of a key
//   retry_later, refused   as Receiver tells it
Outcome<std::vector<PublicKey>> keys_of_mirror(Transport& transport, const PageAddress& page);

// Fetches the page in HTML as it is served, and its signature by each of these keys, and verifies
// it. Page and signature are two requests, between which both may change: where they do not match,
// both are fetched once more. The kinds of the signatures that are good.
//   gone         the mirror has no such page or signature
//   corrupt      a signature is wrong, something else came in the place of one, or the page is
//                signed and says that it is another project's
//   retry_later, refused   as Receiver tells it
Outcome<std::vector<KeyKind>> verify_page(Transport& transport, const PageAddress& page,
                                          const std::vector<PublicKey>& keys);

}  // namespace pep381d
