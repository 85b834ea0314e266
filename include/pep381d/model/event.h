// A row of the master's changelog, and what it may mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pep381d/model/serial.h"

namespace pep381d {

struct Event {
    std::string
        name;  // as the master wrote it at the time: not yet a ProjectName, perhaps not a legal one
    std::string action;  // free text, such as `add source file foo-1.0.tar.gz`
    bool has_version = false;
    Serial serial;          // 0: the journal has only times
    std::int64_t time = 0;  // Unix seconds, where it has
    std::string mark{};     // there: what tells this row from all others
};

// What a project may lose by an event. The action text is ambiguous (team names with blanks stand
// in it), so it never decides what is fetched: every named project is looked at again. It only
// explains a loss that the page then shows. The greater is the more urgent; the state keeps the
// numbers.
enum class Loss { nothing, files, project, quarantine };

Loss loss_of(const Event& event);

// `rename from X` (before 2011) also ends the project X: its raw name, or empty.
std::string_view renamed_from(const Event& event);

// `keyrotate ` (PEP 381): the master signs with another key from now on.
bool tells_of_key(const Event& event);

}  // namespace pep381d
