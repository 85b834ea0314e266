// The mirror's own two keys as files: DSA at signing.key, Ed25519 beside it. Keys may be used by
// several threads at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/outcome.h"
#include "pep381d/base/signature.h"

namespace pep381d {

inline constexpr std::string_view ed25519_suffix = ".ed25519";
inline constexpr std::string_view public_suffix = ".pub";

// The private keys.
struct SigningKeys {
    PrivateKey dsa, ed25519;
};

// What others check them with.
struct ServerKeys {
    PublicKey dsa, ed25519;
};

// `path`: of the DSA key. Failures are Fault::local, name the file, and say what to do: it cannot
// be read, others may read or change it, it is of the wrong kind or has a passphrase.
Outcome<SigningKeys> read_signing_keys(const std::string& path);

// Makes what is missing of both keys (mode 0600) and of their public halves (`.pub`, mode 0644).
// Nothing is ever overwritten. The paths of what was made; none: all were there.
Outcome<std::vector<std::string>> make_signing_keys(const std::string& path);

// A public key in a file, of either kind. Fault::local names the file.
Outcome<PublicKey> read_public_key(const std::string& path);

}  // namespace pep381d
