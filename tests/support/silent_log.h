// A log for tests that do not look at it, but for what holds of every line: whatever a stranger
// wrote, it stays one, and no terminal obeys it.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

#include "pep381d/base/log.h"

class SilentLog final : public pep381d::Log {
  public:
    void write(Level, std::string_view line) override {
        const auto obeyed = [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        };
        if (std::any_of(line.begin(), line.end(), obeyed))
            throw std::logic_error("a line of the log has a control character: " +
                                   std::string(line));
    }
};
