#include <vector>

#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/faults/scenario_making.h"

namespace faults {

using namespace pep381d;
using namespace sample;

namespace {

// Something that nobody but a bad disk or hand does: what lies at `removed` goes, with all below
// it, and these bytes come to `put`.
struct Harm {
    std::string removed, put, bytes;
};

void do_harm(Volume& tree, const Harm& harm) {
    if (tree.find(harm.removed)) tree.remove(harm.removed);
    if (!harm.put.empty()) Volume::write(*tree.create(harm.put), 0, harm.bytes);
    tree.flush();
}

std::vector<Harm> harms(const Volume& tree) {
    const auto bytes = [&](const std::string& path) { return tree.find(path)->bytes; };
    const auto at = [](const File& file) { return "web/" + *file_path(file); };
    const auto other = [](const std::string& path, const std::string& instead) {
        return Harm{path, path, instead};
    };
    const std::string torn = "web/simple/torn/index.html", root = layout::root_v1_html;
    std::string listing = bytes(root);
    listing.replace(listing.find("whole/"), 6, "ghost/");
    const std::string blocked = at(sdist("blocked-1.0.tar.gz"));
    return {{at(wheel("gone-1.0-py3-none-any.whl")), {}, {}},
            other(at(sdist("bad-1.0.tar.gz")), "bad-1.0.tar.xz"),
            other(at(wheel("meta-1.0-py3-none-any.whl")) + ".metadata", "other"),
            {blocked, blocked + "/x", "x"},
            {"web/simple/bare/index.v1_json", {}, {}},
            other(torn, bytes(torn).substr(0, bytes(torn).size() / 2)),
            other(at(sdist("shared-1.0.tar.gz")), "short"),
            {{}, "web/packages/aa/bb/stray-1.0.tar.gz", "stray"},
            {{}, "web/simple/nobody/index.html", "<!-- nobody's -->\n"},
            other(root, listing),
            other(layout::last_modified, "20990101T00:00:00\n")};
}

// Does all of it. What each damage alone lets show is excused, since one may hide another.
void damage_disks(Scenario& scenario) {
    // A page that is made again has its alias renamed last: a stop between the two leaves both
    // whole.
    const auto excuse_page_of = [&](const std::string& path) {
        scenario.damaged.insert(path);
        if (path.starts_with("web/simple/"))
            scenario.damaged.insert(path.substr(0, path.rfind('/') + 1) + layout::v1_html_name);
    };
    const Disks well = scenario.start;
    const auto excuse = [&](const Disks& disks) {
        for (const std::string& what : inspect(disks.tree, scenario.truth))
            scenario.violations.insert(what);
        look(disks, [&](State& state, FileTree& tree) {
            for (const std::string& what : inspect(state, disks.tree, scenario.truth))
                scenario.violations.insert(what);
            for (const Finding& finding : verify(state, tree, true)) excuse_page_of(finding.path);
        });
    };
    for (const Harm& harm : harms(well.tree)) {
        Disks disks = well;
        do_harm(disks.tree, harm);
        excuse(disks);
        do_harm(scenario.start.tree, harm);
    }
    excuse(scenario.start);
}

}  // namespace

Scenario damage() {
    Scenario scenario = scenario_of("verify with repair");
    scenario.errand = repair;
    scenario.end = first_time;
    ScriptedMaster& from = scenario.master;
    const File shared = sdist("shared-1.0.tar.gz");
    from.publish(page("gone", 1, {wheel("gone-1.0-py3-none-any.whl"), sdist("gone-1.0.tar.gz")}));
    from.publish(page("bad", 2, {sdist("bad-1.0.tar.gz"), sdist("bad-0.9.tar.gz")}));
    from.publish(page("meta", 3, {wheel("meta-1.0-py3-none-any.whl")}));
    from.publish(page("blocked", 4, {sdist("blocked-1.0.tar.gz")}));
    from.publish(page("bare", 5, {sdist("bare-1.0.tar.gz")}));
    from.publish(page("torn", 6, {sdist("torn-1.0.tar.gz")}));
    from.publish(page("one", 7, {shared, sdist("one-1.0.tar.gz")}));
    from.publish(page("two", 8, {shared}));
    from.publish(page("whole", 9, {wheel("whole-1.0-py3-none-any.whl")}));
    begin_with_a_mirror(scenario);
    scenario.truth.poll = first_time;
    // A companion leaves its page with its file, and comes again with it.
    for (auto& [hex, urls] : scenario.truth.urls)
        std::erase_if(urls, [](const std::string& url) {
            return url.ends_with("gone-1.0-py3-none-any.whl.metadata");
        });

    damage_disks(scenario);
    return scenario;
}

}  // namespace faults
