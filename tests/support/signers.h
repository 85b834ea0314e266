// Signers for mirrors of tests.
#pragma once

#include <memory>

#include "pep381d/sync/signer.h"

#include "support/openssl_keys.h"

namespace sample {

inline std::shared_ptr<pep381d::Signer> signer() {
    return std::make_shared<pep381d::Signer>(
        pep381d::SigningKeys{pep381d::PrivateKey::parse(openssl_made::dsa_private).value(),
                             pep381d::PrivateKey::parse(openssl_made::ed25519_private).value()});
}

// Other ones; of 1024 bits, since tests that sign and verify ten thousand times need no strength.
inline std::shared_ptr<pep381d::Signer> quick_signer(int which) {
    static constexpr const char* dsa[] = {R"(-----BEGIN PRIVATE KEY-----
MIIBWgIBADCCATMGByqGSM44BAEwggEmAoGBAJfFdCxuLxAZc3WDhcWy3+0AWCGk
U7JChVw8lSRG7/j1eQ5UG6wEi1qbFHoyQM2JBY2HnWIrrmW4a/YddYL4GQxLWQBt
vVpcRyfMviIxT2F8i2hxjGCKeMHvVWKhCJyWRNNShEQi6YazpBxi8BGg8Q0Udpos
UH5HDfijFvHx0P/lAh0Ahx5JQhsn+BBXP9ZvqEGl3gADlu9kPBuVtL6q8QKBgF5Z
pAABxQ2HJSABHbofK1qeY3EiNvOOGxnYCfzyeE09E8b57ztyQ4BweU8v1L02jhee
+kkFjLShoww+xs/EAyrrp/qW/dtWMTR5Yy7P/8Q4eQTdAUDZRgx1v60mxExws4pN
CcyHUduxPf7zl9M1qq6d75q5yxwfuN9+YYd7w8hXBB4CHGh0paEGGUyRRM+h3060
nfn87XNK5WMdVpgunIQ=
-----END PRIVATE KEY-----
)",
                                          R"(-----BEGIN PRIVATE KEY-----
MIIBWgIBADCCATMGByqGSM44BAEwggEmAoGBAIK7GNFWa0Eq4bgJ1F7M66t+ZkLx
eySXTcNh41uS0lqzVqNO5ddsNn1lGIlovB6VLXU7xsmLHI5eufimcBeG6nVbT11n
Id7MKeTtlWJ8b17KEC8WloJ9qKalE4DO8sGQQHlqwKM7qHtEkM9aKYZ9lv6cGDRX
1j//DQi7fwnxVtDDAh0A2+qe7DyDIuARD0+7optSypm1dIhyJT9uQav42QKBgDg+
5b/dnAgBsfSbZPTdHXsCrBzJtHW76hg6dJPpt4phEHnyXoD56/MPx+GwQKMya1CF
Rl/adAgaazecwOlpN9eLrdAKH57DXzRRrfUaEvRutKfUDjfsiIPzO7b0PnLsM05z
5VEbszMD2y8G+ACpSn4U7mnwWZXGmLpD+rQjolO5BB4CHBb6zmu1Fv0rvCi/XqS3
AtMXtEv5NQipDg8ldCM=
-----END PRIVATE KEY-----
)"};
    static constexpr const char* ed25519[] = {R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIKZOhZXbsX2KAbBsM2nGSQQigOriu0aRys9zAnuh5YbP
-----END PRIVATE KEY-----
)",
                                              R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFeA9brrrfeYmmNCIFfwZ2v8MRaV+GUHJWVrJQMd7HSW
-----END PRIVATE KEY-----
)"};
    return std::make_shared<pep381d::Signer>(
        pep381d::SigningKeys{pep381d::PrivateKey::parse(dsa[which]).value(),
                             pep381d::PrivateKey::parse(ed25519[which]).value()});
}

}  // namespace sample
