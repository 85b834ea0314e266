// One line of the record of removals: what went, when, why and who said so. The record is only ever
// added to; `pep381d status --removals` shows it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/model/serial.h"

namespace pep381d {

enum class RemovalKind {
    removed,      // a project that the master no longer has
    kept,         // the same, but deletes.policy = keep: nothing went
    blocked,      // a project that filter.block names
    unwanted,     // a project, or files, that the configuration no longer wants otherwise
    quarantined,  // a project that the master quarantined (PEP 792): its files went
    cleared,      // its quarantine is over: it is back
    files,        // some files of a project, which the master's page no longer names
    damaged,      // files that were found damaged here, and are fetched again
};

std::string_view name_of(RemovalKind kind);
std::optional<RemovalKind> removal_kind(std::string_view name);
// `master`, `configuration` or `verify`.
std::string_view said_by(RemovalKind kind);

struct RemovalRecord {
    Time at{};
    RemovalKind kind = RemovalKind::removed;
    std::string project;             // normalized
    Serial serial;                   // of the master's event, else of its page; 0: of neither
    std::string cause;               // the evidence, for people
    std::vector<std::string> files;  // their paths below web/, `packages/...`
    bool operator==(const RemovalRecord&) const = default;
};

}  // namespace pep381d
