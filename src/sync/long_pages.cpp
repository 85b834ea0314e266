#include "pep381d/sync/long_pages.h"

namespace pep381d {

namespace {

// As much as the longest page that is taken has of text.
constexpr std::int64_t most = 48LL << 20;

}  // namespace

bool LongPages::Share::take(std::int64_t bytes) {
    *held_ += bytes - bytes_;
    bytes_ = bytes;
    const std::int64_t all = *held_;
    return all <= most || all == bytes_;
}

}  // namespace pep381d
