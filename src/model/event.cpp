#include "pep381d/model/event.h"

namespace pep381d {

Loss loss_of(const Event& event) {
    const std::string_view action = event.action;
    if (action == "remove project" || (action == "remove" && !event.has_version))
        return Loss::project;
    if (action == "project quarantined" || action == "release quarantined") return Loss::quarantine;
    if (action == "remove release" || action == "remove" || action.starts_with("remove file "))
        return Loss::files;
    return Loss::nothing;
}

std::string_view renamed_from(const Event& event) {
    constexpr std::string_view prefix = "rename from ";
    const std::string_view action = event.action;
    return action.starts_with(prefix) ? action.substr(prefix.size()) : std::string_view{};
}

bool tells_of_key(const Event& event) {
    return event.name.empty() && event.action.starts_with("keyrotate");
}

}  // namespace pep381d
