// The status as bytes: `status/index.html` for people, `status/status.json` for programs
// (design 1.3). Pure.
//
// Names and causes come from outside: they are shown as text whatever they hold.
#pragma once

#include <string>

#include "pep381d/model/removal_record.h"
#include "pep381d/model/status.h"

namespace pep381d {

// One page without scripts or anything to load, readable in light and dark. It lists the first
// hundred failing projects; the JSON has all.
std::string status_html(const Status& status);

// One object and a newline. Times are `2026-11-21T21:15:47Z` or null, `last_error`, `paused` and
// `contact` null where there is none.
std::string status_json(const Status& status);

// One object, without a newline.
std::string removal_json(const RemovalRecord& removal);

}  // namespace pep381d
