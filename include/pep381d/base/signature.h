// Signatures over bytes, as PEP 381 has them (DSA over SHA-1, DER), and as today asks for
// (Ed25519). Keys are PEM, as `openssl` reads and writes them. Keys may be used by several threads
// at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pep381d/base/outcome.h"

namespace pep381d {

enum class KeyKind { dsa, ed25519 };

std::string_view name_of(KeyKind kind);  // `DSA`, `Ed25519`

class PublicKey {
  public:
    // SubjectPublicKeyInfo (`BEGIN PUBLIC KEY`) of either kind. Fault::corrupt says what it is
    // instead; for DSA also where its modulus has fewer than 1024 bits.
    static Outcome<PublicKey> parse(std::string_view pem);

    KeyKind kind() const;
    std::string pem() const;
    // DSA: DER SEQ { r, s } with both in 1 to q-1 and nothing behind it. Ed25519: 64 bytes.
    bool verifies(std::string_view bytes, std::string_view signature) const;

  private:
    friend class PrivateKey;
    struct Impl;
    explicit PublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

class PrivateKey {
  public:
    // PKCS #8 or the older form of each kind; never one that has a passphrase.
    static Outcome<PrivateKey> parse(std::string_view pem);
    // DSA: 2048 bits, q of 224. That takes a second or so. Throws Fatal(5) where OpenSSL cannot.
    static PrivateKey make(KeyKind kind);

    KeyKind kind() const { return public_key().kind(); }
    std::string pem() const;  // PKCS #8
    PublicKey public_key() const { return PublicKey(impl_); }
    // Two DSA signatures of the same bytes differ. Throws Fatal(5) where OpenSSL refuses.
    std::string sign(std::string_view bytes) const;

  private:
    explicit PrivateKey(std::shared_ptr<const PublicKey::Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<const PublicKey::Impl> impl_;
};

// The shape of a DER DSA signature: what can be told from an error page or a key without a key.
bool looks_like_signature(KeyKind kind, std::string_view bytes);

}  // namespace pep381d
