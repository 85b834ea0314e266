#include "support/sample/signing.h"

#include <array>
#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace sample {
namespace {

constexpr std::array<const char*, 2> keys{R"(-----BEGIN PRIVATE KEY-----
MIIBWgIBADCCATMGByqGSM44BAEwggEmAoGBAOb2OcDWQq8tpUh+19qiViLm5F1B
XpbywQ1rdR6ViH59bk5QDaR47Z7jJCTKdL9+eiF6ryacQKkGnrdtc7POrPkj3iqy
VwP6CMmVIeJPKBRmUVycMbW7SMlmhj1Zd4IgmcalnmQy+FVywwgMDvcvuduCC0jF
P7h+couA3E9WtuohAh0Ah4MWZomo3cO4F7836v4bRh3d3y8KgbGO5dipGQKBgAsK
hHDXG80EvOS3OEl0+3mnnIMIN+1pultDWSsW5HocBs2Larch33N0yNk8h89jrW1G
+dv7S5GZAKCi9Ab3rzWGXw/JWvxTUdhsVBLwNExMTGHD2ycmz6H0cT5yYzX0QXz2
HSQv8BDffVqpYRFzYspi/l3XGViInexIDjjrzy8UBB4CHF07lIjj+4R9Ai+xpbLO
Ug6poiDQaW/B1dCpSkE=
-----END PRIVATE KEY-----
)",
                                          R"(-----BEGIN PRIVATE KEY-----
MIIBWwIBADCCATQGByqGSM44BAEwggEnAoGBAMS6jkAu9/rFO8Z4awXss+WGDlPk
ByvEh7UKNo0ggcYJKA3UAd7C8+qDYTbDNxUMBJhAThvsy8ydO7R1XecQiaQyPPMS
t2r3yFTVffsecHw6vQTLO2NZ9YSmzV2V3VSOor7yWNPQVGoqsDsmZ6XO5B2nOJO/
qAGkYi099ZL+498VAh0A7eXF5idkHIJU3idTevi/tvn9I0AmWDYRQu3+BQKBgQC1
94HjiNYB1NJ3G7PvDObFo2wiikWpS+53aQuXsuhmCXCABhd2e7yl7dMi9lZ3ih0I
hBNUGTsJaEW0SNidp9tAH/vcJ6zS26o6uZTwAGMX6V11S5TeFiomcno+tKlZH8PB
B1LUuW9yljbT6z28DOz8VQJj5mGjvr/q2xGVjsIL3AQeAhxbyIXygGETFis7rx0b
PYA4VaupYc0xzFo+J21u
-----END PRIVATE KEY-----
)"};

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key key_of(std::size_t which) {
    const Bio pem{BIO_new_mem_buf(keys[which % keys.size()], -1), &BIO_free};
    Key key{PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
    if (!key) throw std::runtime_error("the sample master's key cannot be read");
    return key;
}

}  // namespace

std::string public_key_pem(std::size_t which) {
    const auto key = key_of(which);
    const Bio pem{BIO_new(BIO_s_mem()), &BIO_free};
    PEM_write_bio_PUBKEY(pem.get(), key.get());
    char* text = nullptr;
    const auto size = BIO_get_mem_data(pem.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string signature_of(std::string_view bytes, std::size_t which) {
    const auto key = key_of(which);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free};
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
    auto size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha1(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1)
        throw std::runtime_error("the sample master cannot sign");
    signature.resize(size);
    return signature;
}

}  // namespace sample
