#include "pep381d/base/signature.h"

#include <array>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace pep381d {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr int least_bits = 1024;
// FIPS 186-4 ends at 3072. A stranger's key of a million bits would take hours to verify with.
constexpr int most_bits = 4096;
constexpr int bits_made = 2048;
// As strong as 2048 bits are (FIPS 186-4), and a fifth cheaper to sign with than 256. SHA-1 has
// 160.
constexpr int q_bits_made = 224;

// OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

const unsigned char* data_of(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string last_error() {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
    ERR_clear_error();
    return text.data();
}

[[noreturn]] void give_up_on(const char* what) {
    throw Fatal(5, fmt::format("OpenSSL cannot {} on this machine: {}", what, last_error()));
}

Bio reader(std::string_view pem) {
    Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    if (!bio) throw std::bad_alloc();
    return bio;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

// Fetched once: an implicit fetch for every page costs.
const EVP_MD* sha1() {
    static const EVP_MD* method = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    return method;
}

Failure no_key(std::string what) {
    ERR_clear_error();
    return Failure{Fault::corrupt, std::move(what)};
}

}  // namespace

struct PublicKey::Impl {
    Key key;
    KeyKind kind;

    // What kind of key it is; a failure says that it is none of ours.
    static Outcome<std::shared_ptr<const Impl>> of(Key key) {
        const int id = EVP_PKEY_get_base_id(key.get());
        if (id == EVP_PKEY_ED25519)
            return std::shared_ptr<const Impl>(new Impl{std::move(key), KeyKind::ed25519});
        if (id != EVP_PKEY_DSA) {
            const char* name = EVP_PKEY_get0_type_name(key.get());
            return no_key(fmt::format("it is a key for {}, neither DSA nor Ed25519",
                                      name == nullptr ? "something else" : name));
        }
        const int bits = EVP_PKEY_get_bits(key.get());
        if (bits < least_bits)
            return no_key(fmt::format("it is a DSA key of {} bits, which anybody can break", bits));
        if (bits > most_bits)
            return no_key(fmt::format("it is a DSA key of {} bits; 4096 are the most", bits));
        return std::shared_ptr<const Impl>(new Impl{std::move(key), KeyKind::dsa});
    }

    const EVP_MD* digest() const { return kind == KeyKind::dsa ? sha1() : nullptr; }
};

std::string_view name_of(KeyKind kind) {
    return kind == KeyKind::dsa ? "DSA" : "Ed25519";
}

KeyKind PublicKey::kind() const {
    return impl_->kind;
}

Outcome<PublicKey> PublicKey::parse(std::string_view pem) {
    Key key(PEM_read_bio_PUBKEY(reader(pem).get(), nullptr, &no_passphrase, nullptr),
            &EVP_PKEY_free);
    if (!key)
        return no_key(pem.find("PRIVATE KEY") != std::string_view::npos
                          ? "it is a private key, not a public one"
                          : "it is no public key in PEM");
    auto impl = Impl::of(std::move(key));
    if (!impl) return std::move(impl).failure();
    return PublicKey(std::move(impl).value());
}

std::string PublicKey::pem() const {
    const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
    if (!bio || PEM_write_bio_PUBKEY(bio.get(), impl_->key.get()) != 1)
        give_up_on("write a public key");
    return text_of(bio.get());
}

bool PublicKey::verifies(std::string_view bytes, std::string_view signature) const {
    const DigestContext context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (!context) throw std::bad_alloc();
    if (EVP_DigestVerifyInit(context.get(), nullptr, impl_->digest(), nullptr, impl_->key.get()) !=
        1)
        give_up_on("verify signatures");
    const bool good = EVP_DigestVerify(context.get(), data_of(signature), signature.size(),
                                       data_of(bytes), bytes.size()) == 1;
    ERR_clear_error();
    return good;
}

Outcome<PrivateKey> PrivateKey::parse(std::string_view pem) {
    Key key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, &no_passphrase, nullptr),
            &EVP_PKEY_free);
    const auto holds = [&](const char* words) { return pem.find(words) != std::string_view::npos; };
    if (!key)
        return no_key(holds("ENCRYPTED")    ? "it has a passphrase, which a daemon cannot type"
                      : holds("PUBLIC KEY") ? "it is a public key, not a private one"
                                            : "it is no private key in PEM");
    auto impl = PublicKey::Impl::of(std::move(key));
    if (!impl) return std::move(impl).failure();
    return PrivateKey(std::move(impl).value());
}

PrivateKey PrivateKey::make(KeyKind kind) {
    EVP_PKEY* made = nullptr;
    if (kind == KeyKind::ed25519) {
        made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    } else {
        const KeyContext parameters(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr),
                                    &EVP_PKEY_CTX_free);
        EVP_PKEY* group = nullptr;
        if (!parameters || EVP_PKEY_paramgen_init(parameters.get()) != 1 ||
            EVP_PKEY_CTX_set_dsa_paramgen_bits(parameters.get(), bits_made) != 1 ||
            EVP_PKEY_CTX_set_dsa_paramgen_q_bits(parameters.get(), q_bits_made) != 1 ||
            EVP_PKEY_paramgen(parameters.get(), &group) != 1)
            give_up_on("make DSA parameters");
        const Key owned(group, &EVP_PKEY_free);
        const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, group, nullptr),
                                 &EVP_PKEY_CTX_free);
        if (context && EVP_PKEY_keygen_init(context.get()) == 1)
            (void)EVP_PKEY_keygen(context.get(), &made);
    }
    if (made == nullptr) give_up_on("make a key");
    return PrivateKey(PublicKey::Impl::of(Key(made, &EVP_PKEY_free)).value());
}

std::string PrivateKey::pem() const {
    const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0,
                                              nullptr, nullptr) != 1)
        give_up_on("write a private key");
    return text_of(bio.get());
}

std::string PrivateKey::sign(std::string_view bytes) const {
    const DigestContext context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (!context) throw std::bad_alloc();
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(impl_->key.get())), '\0');
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, impl_->digest(), nullptr, impl_->key.get()) !=
            1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       data_of(bytes), bytes.size()) != 1)
        give_up_on(kind() == KeyKind::dsa ? "sign with DSA over SHA-1" : "sign with Ed25519");
    signature.resize(size);
    return signature;
}

bool looks_like_signature(KeyKind kind, std::string_view bytes) {
    constexpr std::size_t dsa_most = 104;  // two integers of 384 bits
    if (kind == KeyKind::ed25519) return bytes.size() == 64;
    return bytes.size() >= 8 && bytes.size() <= dsa_most && bytes[0] == '\x30' &&
           static_cast<unsigned char>(bytes[1]) == bytes.size() - 2 && bytes[2] == '\x02';
}

}  // namespace pep381d
