#include "pep381d/sync/master_key.h"

#include <utility>

#include <fmt/format.h>

#include "pep381d/base/digest.h"
#include "pep381d/state/damage.h"
#include "pep381d/sync/absence.h"

namespace pep381d {

namespace {

constexpr AbsenceNotes absence{Note::master_key_gone, Note::master_key_looks};

}  // namespace

Outcome<PublicKey> read_master_key(const std::string& bytes) {
    auto key = PublicKey::parse(bytes);
    if (!key || key.value().kind() == KeyKind::dsa) return key;
    return Failure{Fault::corrupt,
                   fmt::format("it is a key for {}, not DSA", name_of(key.value().kind()))};
}

KeyKnown MasterKey::known() {
    const auto pem = state_.text(Note::master_key);
    if (!pem)
        return {nullptr, failure_ ? failure_ : Failure{Fault::retry_later, "it was not asked for"},
                generation_};
    if (pem->empty()) return {nullptr, std::nullopt, generation_};
    if (!key_ || *pem != key_pem_) {
        auto key = read_master_key(*pem);
        if (!key)
            throw StateDamaged(
                fmt::format("the state's key of the master cannot be read; {}", adopt_anew));
        key_ = std::make_shared<const PublicKey>(std::move(key).value());
        key_pem_ = *pem;
    }
    return {key_, std::nullopt, generation_};
}

// A 404 may be a bad moment; what it would take away is all signatures.
bool MasterKey::believed_gone() {
    const auto before = state_.text(Note::master_key);
    if (!before || before->empty()) return true;
    return absence_believed(state_, absence, clock_.now());
}

bool MasterKey::is_now(const std::string& pem) {
    const auto before = state_.text(Note::master_key);
    forget_absence(state_, absence);
    state_.unset(Note::master_key_refused);
    failure_.reset();
    if (before == pem) return false;
    state_.set(Note::master_key, pem);
    ++generation_;
    log_.info(pem.empty() ? "master_key none=true"
                          : fmt::format("master_key sha256={}", to_hex(sha256(pem))));
    return before.has_value();
}

bool MasterKey::arrived(const KeyArrived& answer) {
    urgent_ = false;
    const bool absent = !answer.pem && answer.failure && answer.failure->fault == Fault::gone;
    if (answer.pem || (absent && believed_gone())) {
        state_.set(Note::master_key_due, std::int64_t{0});
        return is_now(answer.pem.value_or(""));
    }
    // Still due: what made us look, a row of the journal, is told once.
    state_.set(Note::master_key_due, 1);
    const std::string& cause = answer.failure->what;
    if (state_.text(Note::master_key_refused) != cause)
        log_.warning(fmt::format("master_key_refused cause={}", quoted(cause)));
    state_.set(Note::master_key_refused, cause);
    if (!state_.text(Note::master_key)) failure_ = answer.failure;
    return false;
}

}  // namespace pep381d
