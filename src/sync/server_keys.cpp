#include "pep381d/sync/server_keys.h"

#include <utility>

#include "pep381d/sync/examination.h"
#include "pep381d/tree/layout.h"

#include "sync/must.h"

namespace pep381d {

namespace {

constexpr std::string_view begin = "-----BEGIN";

// What is there is right, or was made so; true: it was made so.
bool publish(FileTree& tree, const std::string& path, const std::string& pem) {
    const auto look = must(tree.look(path));
    if (!look && pem.empty()) return false;
    if (pem.empty()) {
        must(tree.remove(path));
        return true;
    }
    if (look) {
        const auto there = read_whole(tree, path, pem.size());
        if (there && there.value() == pem) return false;
    }
    const std::string staged = layout::staged("serverkey");
    must(write_file(tree, staged, pem));
    must(tree.rename(staged, path));
    return true;
}

}  // namespace

void publish_server_keys(FileTree& tree, const Policy& policy, bool all_signed) {
    std::string dsa, ed25519;
    if (policy.signer && all_signed) {
        dsa = policy.signer->keys().dsa.public_key().pem();
        ed25519 = policy.signer->keys().ed25519.public_key().pem();
    }
    bool changed = publish(tree, layout::server_key, dsa);
    changed = publish(tree, layout::server_key_ed25519, ed25519) || changed;
    if (changed) must(tree.flush());
}

std::string server_keys_text(const Policy& policy) {
    if (!policy.signer) return {};
    return policy.signer->keys().dsa.public_key().pem() +
           policy.signer->keys().ed25519.public_key().pem();
}

std::shared_ptr<const ServerKeys> read_server_keys(std::string_view text) {
    const auto second = text.find(begin, 1);
    if (second == std::string_view::npos) return nullptr;
    auto dsa = PublicKey::parse(text.substr(0, second));
    auto ed25519 = PublicKey::parse(text.substr(second));
    if (!dsa || !ed25519) return nullptr;
    return std::make_shared<const ServerKeys>(
        ServerKeys{std::move(dsa).value(), std::move(ed25519).value()});
}

}  // namespace pep381d
