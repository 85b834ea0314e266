// The key of a master that signs its pages (PEP 381): DSA over SHA-1, as PyPI did until 2015.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sample {

// Small ones, since tests need no strength. `which`: counted up, another one each time.
std::string public_key_pem(std::size_t which);
// Another signature each time, as DSA has it.
std::string signature_of(std::string_view bytes, std::size_t which);

}  // namespace sample
