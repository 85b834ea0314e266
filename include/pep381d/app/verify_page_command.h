// `pep381d verify-page URL [--key FILE]`: checks the signature of a page of any mirror.
#pragma once

#include "pep381d/app/config.h"

namespace pep381d {

int verify_page_command(const CommandLine& line);

}  // namespace pep381d
