#include "sync/stale_page.h"

#include <fmt/format.h>

namespace pep381d {

std::string stale_page(const Policy& policy, const ProjectName& project, Serial shown,
                       Serial journal) {
    return fmt::format(
        "{}/simple/{}/: the page shows serial {}, the journal {}: a stale cache; it is asked again",
        policy.master_shown, project.text(), shown.value, journal.value);
}

std::string page_of_removed(const Policy& policy, const ProjectName& project) {
    return fmt::format(
        "{}/simple/{}/: the journal has removed the project, and its page is there: a stale cache; "
        "it is asked again",
        policy.master_shown, project.text());
}

}  // namespace pep381d
