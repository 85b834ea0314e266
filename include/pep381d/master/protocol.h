// The three ways in which masters tell what they hold, and what is asked of each (protocol A, B).
// No I/O.
//
//   warehouse  PyPI since 2013: a journal with serials (changelog_since_serial), a list with them,
//              pages in JSON under normalized names
//   pep381     PyPI before that: a journal by time (changelog), a list of names (list_packages),
//              pages in HTML under display names; a redirect there means that there is no such
//              project, but one of a similar name
//   simple     pages alone (PEP 503, 691), of another mirror, a devpi, a forge: what changed is in
//              the root index, or in the ETags
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pep381d/base/clock.h"
#include "pep381d/model/project_name.h"

namespace pep381d {

enum class Protocol { automatic, warehouse, pep381, simple };  // automatic: not known yet

std::optional<Protocol> protocol_named(std::string_view name);  // `auto`, `warehouse`, ...
std::string_view name_of(Protocol protocol);

enum class PageFormat { json, html };

// The path of a project's page, from `/simple/` on. `display`: as the project writes itself.
std::string page_path(Protocol protocol, const ProjectName& name, std::string_view display);
// The Accept header for pages, the root index among them. `html_only`: whatever the master has
// besides.
std::string_view page_types(Protocol protocol, bool html_only = false);
// By Content-Type; nothing where it is none that was asked for.
std::optional<PageFormat> page_format(Protocol protocol, std::string_view content_type,
                                      bool html_only = false);
// The path of the signature of that page in HTML (PEP 381), without a slash at its end.
std::string signature_path(Protocol protocol, const ProjectName& name, std::string_view display);

// Mirrors say in `/last-modified` how old they are (PEP 381); Warehouse has none.
inline bool may_be_dated(Protocol protocol) {
    return protocol == Protocol::pep381 || protocol == Protocol::simple;
}

// `20261121T21:15:47` or `2026-11-21T21:15:47`, with or without a Z, as mirrors write it (protocol
// A.5); nothing for others.
std::optional<Time> read_last_modified(std::string_view text);

}  // namespace pep381d
