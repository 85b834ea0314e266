#include "support/sample/version.h"

#include <cctype>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

namespace sample {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

struct Key {
    bool legal = false;
    std::int64_t epoch = 0;
    std::vector<std::int64_t> release;
    // Development releases of a final release come before its pre-releases, those before it (PEP
    // 440, "Summary of permitted suffixes and relative ordering").
    std::pair<std::int64_t, std::int64_t> pre{3, 0};
    std::int64_t post = -1;
    std::int64_t dev = never;

    auto order() const { return std::tie(legal, epoch, release, pre, post, dev); }
};

class Reader {
  public:
    explicit Reader(std::string_view text) : text_{text} {}
    bool done() const { return text_.empty(); }
    bool take(std::string_view word) {
        if (!text_.starts_with(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    bool at_digit() const { return !done() && std::isdigit(static_cast<unsigned char>(text_[0])); }
    std::int64_t number() {
        std::int64_t value = 0;
        for (; at_digit() && value < never / 20; text_.remove_prefix(1))
            value = value * 10 + (text_[0] - '0');
        return value;
    }

  private:
    std::string_view text_;
};

Key key_of(std::string_view text) {
    Key key;
    Reader reader{text};
    if (!reader.at_digit()) return key;
    key.release.push_back(reader.number());
    if (reader.take("!")) {
        key.epoch = key.release[0];
        key.release = {reader.number()};
    }
    while (reader.take(".")) {
        if (reader.take("post"))
            key.post = reader.number();
        else if (reader.take("dev"))
            key.dev = reader.number();
        else
            key.release.push_back(reader.number());
        if (key.post >= 0 || key.dev != never) break;
    }
    for (const auto& [word, rank] : {std::pair{"a", 0}, std::pair{"b", 1}, std::pair{"rc", 2}})
        if (reader.take(word)) key.pre = {rank, reader.number()};
    if (reader.take(".post")) key.post = reader.number();
    if (reader.take(".dev")) key.dev = reader.number();
    if (key.dev != never && key.pre.first == 3 && key.post < 0) key.pre = {-1, 0};
    while (key.release.size() > 1 && key.release.back() == 0) key.release.pop_back();
    key.legal = reader.done();
    return key;
}

}  // namespace

bool version_less(std::string_view a, std::string_view b) {
    const Key left = key_of(a), right = key_of(b);
    if (left.order() != right.order()) return left.order() < right.order();
    return a < b;
}

std::string bumped(std::string_view version, unsigned place) {
    std::int64_t parts[3] = {0, 0, 0};
    Reader reader{version};
    for (auto& part : parts) {
        part = reader.number();
        if (!reader.take(".")) break;
    }
    ++parts[place];
    for (unsigned later = place + 1; later < 3; ++later) parts[later] = 0;
    return std::to_string(parts[0]) + "." + std::to_string(parts[1]) + "." +
           std::to_string(parts[2]);
}

}  // namespace sample
