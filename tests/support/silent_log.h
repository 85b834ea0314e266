// A log for tests that do not look at it.
#pragma once

#include "pep381d/base/log.h"

class SilentLog final : public pep381d::Log {
  public:
    void write(Level, std::string_view) override {}
};
