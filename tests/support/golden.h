// Files that tests compare with or feed in, from tests/golden/.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

inline std::string golden(const std::string& name) {
    std::ifstream file(PEP381D_SOURCE_DIR "/tests/golden/" + name, std::ios::binary);
    if (!file) throw std::runtime_error("tests/golden/" + name + " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}
