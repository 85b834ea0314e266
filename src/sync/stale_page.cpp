#include "sync/stale_page.h"

#include <fmt/format.h>

namespace pep381d {

std::string stale_page(const Policy& policy, const ProjectName& project, Serial shown,
                       Serial journal) {
    return fmt::format(
        "{}/simple/{}/: the page shows serial {}, the journal {}: a stale cache; it is asked again",
        policy.master_shown, project.text(), shown.value, journal.value);
}

}  // namespace pep381d
