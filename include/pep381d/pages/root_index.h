// The root index `/simple/` as bytes, written piece by piece because PyPI's has 886,000 entries.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "pep381d/model/project_name.h"
#include "pep381d/model/serial.h"

namespace pep381d {

struct RootEntry {
    std::string_view name;     // normalized
    std::string_view display;  // as the project writes itself
    Serial serial;
};

// Each function appends to `out`; the caller empties it to disk as it likes. Entries come in order
// of normalized names. HTML: `<a href="NORMALIZED/">Display</a>`, well-formed XML, `<!--SERIAL
// n-->` at the end.
void begin_root_html(std::string& out);
void add_root_html(std::string& out, const RootEntry& entry);
void end_root_html(std::string& out, Serial serial);

// JSON: `meta` first, `_last-serial` its first member, and one in every project.
void begin_root_json(std::string& out, Serial serial);
void add_root_json(std::string& out, const RootEntry& entry, bool first);
void end_root_json(std::string& out);

}  // namespace pep381d
