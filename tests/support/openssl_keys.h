// Keys, and signatures of a page, that the command `openssl` (3.0) made:
//     openssl dsaparam -genkey -out k.pem 2048; openssl pkey -in k.pem -pubout -out k.pub
//     openssl dgst -sha1 -sign k.pem -out page.sig page
//     openssl genpkey -algorithm ed25519 -out e.pem; openssl pkey -in e.pem -pubout -out e.pub
//     openssl pkeyutl -sign -inkey e.pem -rawin -in page -out page.ed
#pragma once

namespace openssl_made {

inline constexpr const char* page = "a page\n";

inline constexpr const char* dsa_private = R"(-----BEGIN DSA PARAMETERS-----
MIICKAKCAQEAlIA9r9KGhzlWt3eTQ2L6Bc9xwSPLohB1rcl6FgvR/KHqmvELXxDS
yLyPsqmh0VOLbJBM2lvGfXrA0oN+IFBC2sUTbK5saba1dmI/nR7nXrSD3W3oAEE3
IT79acz/PBRBaSeDxRxOKdZHHay3BAasdU5gXqMy3qXMs7ec5S8JbvDvekc7EqjA
/bZBfeU3+kyVn4XtfxErblG9Ez+iMgkViuyQbomc5KTVGrHlY5rs4IoZOQ0NRGmB
8Vdp4JrG2jzrh7Lc2HHThTLNlFHkidsI6QO+S31wFk/bUXbbGFcW928k/a2MW+OE
zwjGm0pEOzMprOhRYHQcxbDgLzzKSYoBcwIdANNtL5g+qg0NVOSfOgGQpV5//Bze
bzUt0XvfnAMCggEAS9hOjJoMxRMqGzkmRBTNSrQe3pbhyhzcv02ncH8llnlqTOO5
pye2PrqnVL5WMLNDMwf0pouSv0tO2+VchVqqzCciRw8rBhgi5rAOnlSlMfLdE/EA
wtOiIuQWVXr1vPPXzQvOVOq7SDEAZ9DZ3jfMRj90uQ7RpCjm/C0n7vrojUiqJCAg
aPNKlsSjA24OMYtJQyVtFYgfyntqFhZmnItJTxOL6x6mw2iqI9HKejG/xnm5RMqP
UbRwqq5XoNtRV5mzSCdoExAB3a4IelCmygeLPC/9mzFFg2nfdJ3CtwdtvXRRLUzy
1K3m04FMiIVfu2a99bXQtLpDnqlOtQ9y07Y2wg==
-----END DSA PARAMETERS-----
-----BEGIN PRIVATE KEY-----
MIICXAIBADCCAjUGByqGSM44BAEwggIoAoIBAQCUgD2v0oaHOVa3d5NDYvoFz3HB
I8uiEHWtyXoWC9H8oeqa8QtfENLIvI+yqaHRU4tskEzaW8Z9esDSg34gUELaxRNs
rmxptrV2Yj+dHudetIPdbegAQTchPv1pzP88FEFpJ4PFHE4p1kcdrLcEBqx1TmBe
ozLepcyzt5zlLwlu8O96RzsSqMD9tkF95Tf6TJWfhe1/EStuUb0TP6IyCRWK7JBu
iZzkpNUaseVjmuzgihk5DQ1EaYHxV2ngmsbaPOuHstzYcdOFMs2UUeSJ2wjpA75L
fXAWT9tRdtsYVxb3byT9rYxb44TPCMabSkQ7Myms6FFgdBzFsOAvPMpJigFzAh0A
020vmD6qDQ1U5J86AZClXn/8HN5vNS3Re9+cAwKCAQBL2E6MmgzFEyobOSZEFM1K
tB7eluHKHNy/TadwfyWWeWpM47mnJ7Y+uqdUvlYws0MzB/Smi5K/S07b5VyFWqrM
JyJHDysGGCLmsA6eVKUx8t0T8QDC06Ii5BZVevW889fNC85U6rtIMQBn0NneN8xG
P3S5DtGkKOb8LSfu+uiNSKokICBo80qWxKMDbg4xi0lDJW0ViB/Ke2oWFmaci0lP
E4vrHqbDaKoj0cp6Mb/GeblEyo9RtHCqrleg21FXmbNIJ2gTEAHdrgh6UKbKB4s8
L/2bMUWDad90ncK3B229dFEtTPLUrebTgUyIhV+7Zr31tdC0ukOeqU61D3LTtjbC
BB4CHGbYXmm1fiQ/3yw3dNZyoeAJ4iRalq1hPwi4vs8=
-----END PRIVATE KEY-----
)";

inline constexpr const char* dsa_public = R"(-----BEGIN PUBLIC KEY-----
MIIDQjCCAjUGByqGSM44BAEwggIoAoIBAQCUgD2v0oaHOVa3d5NDYvoFz3HBI8ui
EHWtyXoWC9H8oeqa8QtfENLIvI+yqaHRU4tskEzaW8Z9esDSg34gUELaxRNsrmxp
trV2Yj+dHudetIPdbegAQTchPv1pzP88FEFpJ4PFHE4p1kcdrLcEBqx1TmBeozLe
pcyzt5zlLwlu8O96RzsSqMD9tkF95Tf6TJWfhe1/EStuUb0TP6IyCRWK7JBuiZzk
pNUaseVjmuzgihk5DQ1EaYHxV2ngmsbaPOuHstzYcdOFMs2UUeSJ2wjpA75LfXAW
T9tRdtsYVxb3byT9rYxb44TPCMabSkQ7Myms6FFgdBzFsOAvPMpJigFzAh0A020v
mD6qDQ1U5J86AZClXn/8HN5vNS3Re9+cAwKCAQBL2E6MmgzFEyobOSZEFM1KtB7e
luHKHNy/TadwfyWWeWpM47mnJ7Y+uqdUvlYws0MzB/Smi5K/S07b5VyFWqrMJyJH
DysGGCLmsA6eVKUx8t0T8QDC06Ii5BZVevW889fNC85U6rtIMQBn0NneN8xGP3S5
DtGkKOb8LSfu+uiNSKokICBo80qWxKMDbg4xi0lDJW0ViB/Ke2oWFmaci0lPE4vr
HqbDaKoj0cp6Mb/GeblEyo9RtHCqrleg21FXmbNIJ2gTEAHdrgh6UKbKB4s8L/2b
MUWDad90ncK3B229dFEtTPLUrebTgUyIhV+7Zr31tdC0ukOeqU61D3LTtjbCA4IB
BQACggEAa8o6iitoa1gqUpAMDjcT+wIP4/uCSnJVuKEePCr5afCYh2mV4VSKCRmO
u+h/kwJ98pjYSPrFC7GbrdMn+O1jm+8pdLvXIcUpPfCFOiQwaRmAFV1eIJLyp1XT
KTg46xpnze8RWxxagsqmzt+TIa38+COMh578GUlelG6QklUjtNpEDR7t21BfrRp9
VcwurdvK6z3U9Gux/IwlyagiMrFW9dP1+nzLLZBSdx26pyNEhJgwexAdaphQQS01
AB7trtozNFMWlBYME2CII5pWu/Rt+LIJ9QWeDDpdGmBSibLvU8aywd9teGv7wcbV
SKFT7mEeGTRRYgiOkJZg9dvgen/JQg==
-----END PUBLIC KEY-----
)";

inline constexpr const char* dsa_signature =
    "303c021c023368f0a5e235cefe181a1731b4a01bda3d91e4e822a7890803f872021c45804581491dc033705131769e"
    "6a00aee5d7917bcb3a12994e9c6eeb";

inline constexpr const char* ed25519_private = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIOjAWRt3x5HnOaNAw2U9yN6lKfFdVAA9YBmJtAcy0xSs
-----END PRIVATE KEY-----
)";

inline constexpr const char* ed25519_public = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAqrj3tgfa4BMfP28Zr/DH5CT1Yq7NtH45x2Ok8aj7Sjg=
-----END PUBLIC KEY-----
)";

inline constexpr const char* ed25519_signature =
    "bc9890a0906713913ad80910288199ec0a5e7c5b374916a731b551575ed9a896"
    "dae12c08a64fdb1ce514bff296e24cf3f15366bbf243b83d5366af17df019f09";

}  // namespace openssl_made
