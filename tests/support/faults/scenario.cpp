#include "support/faults/scenario.h"

#include <functional>
#include <vector>

#include "pep381d/master/page_html.h"
#include "pep381d/master/page_json.h"
#include "pep381d/pages/root_index.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/sync/verification.h"
#include "pep381d/tree/layout.h"

#include "support/catch.h"

namespace faults {

using namespace pep381d;
using namespace sample;
using namespace std::chrono_literals;

namespace {

Policy usual_policy() {
    Policy policy;
    policy.master = master;
    policy.master_shown = master;
    policy.patience = 0ms;
    return policy;
}

Scenario scenario_of(const std::string& name) {
    Scenario scenario;
    scenario.name = name;
    scenario.policy = usual_policy();
    return scenario;
}

// A file of the master with these bytes, at the place that its name gives it.
File file_of(const std::string& name, const std::string& bytes) {
    File file = sdist(name);
    file.digests = {{Algorithm::sha256, sha256(bytes)}};
    file.size = static_cast<std::int64_t>(bytes.size());
    return file;
}

struct Shown {
    std::string display;
    ProjectPage page;
};

// The pages that the master has now, as the mirror is to show them, by name.
std::map<std::string, Shown> pages_of(const Scenario& scenario) {
    std::map<std::string, Shown> pages;
    for (const auto& [display, serial] : scenario.master.listed) {
        const ProjectName project = *ProjectName::parse(display);
        if (!scenario.policy.filter.wants(project)) continue;
        const std::string url = std::string(master) + "/simple/" + project.text() + "/";
        const std::string& body = scenario.master.network.answers.at(url).body;
        auto read = scenario.policy.copy ? read_page_html(body, url, project)
                                         : read_page_json(body, url, project);
        REQUIRE(read);
        auto plan = plan_page(std::move(read).value().page, nullptr, scenario.policy.page);
        for (File& file : plan.page.files) {
            file.held = true;
            file.metadata_held = file.core_metadata.offered;
        }
        pages.emplace(project.text(), Shown{display, std::move(plan.page)});
    }
    return pages;
}

void note_files(const ScriptedMaster& from, const ProjectPage& page,
                std::map<std::string, int>& claims, Truth& truth) {
    bool provable = true;
    const auto note = [&](const std::string& path, const std::string& url) {
        const std::string& bytes = from.network.answers.at(url).body;
        auto& contents = truth.contents["web/" + path];
        const std::string hex = to_hex(sha256(bytes));
        contents[bytes] = hex;
        if (contents.size() > 1) truth.replaced.insert("web/" + path);
        truth.tree["web/" + path] = bytes;
        // What has no digest is nobody's to know, and what two projects name is fetched twice.
        if (provable && ++claims[url] == 1) truth.urls[hex].insert(url);
        if (claims[url] > 1) truth.urls[hex].erase(url);
    };
    for (const File& file : page.files) {
        provable = !file.digests.empty();
        note(file.path, file.url);
        ++truth.files;
        truth.bytes += file.size.value_or(0);
        if (file.core_metadata.offered) note(file.path + ".metadata", file.url + ".metadata");
    }
}

// What the mirror must be in the end; what it was before stays allowed on the way.
void settle(Scenario& scenario) {
    Truth& truth = scenario.truth;
    truth.tree.clear();
    truth.urls.clear();
    truth.files = truth.bytes = 0;
    const Policy& policy = scenario.policy;
    const Serial newest{scenario.master.newest};
    std::map<std::string, int> claims;  // of URLs: projects that name them
    std::string html, json;
    begin_root_html(html);
    begin_root_json(json, newest);
    bool first = true;
    for (const auto& [name, shown] : pages_of(scenario)) {
        const ProjectPage& page = shown.page;
        note_files(scenario.master, page, claims, truth);
        const auto put = [&](const std::string& path, const std::string& bytes) {
            truth.tree["web/" + path] = bytes;
        };
        const std::string html_page =
            policy.copy ? scenario.master.network.answers.at(ScriptedMaster::url(page)).body
                        : project_html(page);
        if (policy.html) put(layout::page_html(page.name), html_page);
        if (policy.html) put(layout::page_v1_html(page.name), html_page);
        if (policy.copy && scenario.master_key) put(layout::signature(page.name), html_page);
        if (policy.json) put(layout::page_json(page.name), project_json(page));
        if (policy.signer) put(layout::signature(page.name), project_html(page));
        if (policy.signer) put(layout::signature_ed25519(page.name), project_html(page));
        if (page.quarantined()) continue;
        add_root_html(html, {name, shown.display, page.serial});
        add_root_json(json, {name, shown.display, page.serial}, first);
        first = false;
    }
    end_root_html(html, newest);
    end_root_json(json);
    truth.signer = scenario.master_key ? scenario.master_key : policy.signer;
    if (policy.signer) {
        truth.tree[layout::server_key] = policy.signer->keys().dsa.public_key().pem();
        truth.tree[layout::server_key_ed25519] = policy.signer->keys().ed25519.public_key().pem();
    }
    if (policy.html) truth.tree[layout::root_html] = truth.tree[layout::root_v1_html] = html;
    if (policy.json) truth.tree[layout::root_json] = json;
}

// Mirrors what the master has at first, without a fault.
void begin_with_a_mirror(Scenario& scenario) {
    scenario.master.answer_polls();
    settle(scenario);
    Fate well;
    (void)sync(scenario.start, scenario.master, scenario.policy, first_time, well);
    REQUIRE(inspect_end(scenario.start.tree, scenario.truth, first_time) == Violations{});
    scenario.start.tree.flush();
    scenario.start.state.flush();
    scenario.truth.before = first_time;
    scenario.master.events.clear();
}

ProjectPage with_serial(ProjectPage page, std::int64_t serial) {
    page.serial = Serial{serial};
    return page;
}

Scenario other_root(const std::string& name, const std::function<void(Policy&)>& before,
                    const std::function<void(Policy&)>& after) {
    Scenario scenario = scenario_of(name);
    ScriptedMaster& from = scenario.master;
    const auto foo = page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")});
    for (const auto& one : {foo, page("bar", 6, {sdist("bar-1.0.tar.gz")}), page("empty", 7, {})})
        from.publish(one);
    before(scenario.policy);
    begin_with_a_mirror(scenario);
    after(scenario.policy);
    from.publish(with_serial(foo, 21));
    from.listed.erase("foo");
    from.listed["FOO"] = 21;
    from.event("FOO", "new release", 21);
    from.publish(page("new", 22, {sdist("new-1.0.tar.gz")}));
    from.event("new", "create", 22);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_time;
    return scenario;
}

// The page in the form that is asked for: where it is copied, in HTML, in words that are not ours,
// with its signature.
void publish_as_asked(Scenario& scenario, ProjectPage page) {
    scenario.master.publish(page);
    if (!scenario.policy.copy) return;
    for (File& file : page.files) {
        file.path = *file_path(file);
        file.held = true;
        file.metadata_held = file.core_metadata.offered;
    }
    auto& answers = scenario.master.network.answers;
    const std::string base = master;
    // Its links are relative: the files are the master's own.
    for (const File& file : page.files)
        for (const char* suffix : {"", ".metadata"})
            if (const auto found = answers.find(file.url + suffix); found != answers.end())
                answers[base + "/" + file.path + suffix] = found->second;
    std::string html = project_html(page);
    html.replace(html.find("<body>"), 6, "<body class=\"master\">");
    if (scenario.master_key) {
        const SigningKeys& keys = scenario.master_key->keys();
        answers[base + "/serverkey"] = {keys.dsa.public_key().pem(), "text/plain"};
        answers[base + "/serversig/" + page.name.text()] = {keys.dsa.sign(html),
                                                            "application/octet-stream"};
    }
    answers[ScriptedMaster::url(page)] = {std::move(html), "text/html"};
}

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

}  // namespace

Scenario first_pass() {
    Scenario scenario = scenario_of("first pass");
    ScriptedMaster& from = scenario.master;
    const std::string large(1'060'000, 'x');
    File big = file_of("big-1.0.tar.gz", large);
    File unknown = sdist("unknown-1.0.tar.gz");
    unknown.digests.clear();
    const File shared = sdist("shared-1.0.tar.gz");
    from.publish(page("big", 3, {big, sdist("big-0.9.tar.gz")}));
    from.network.answers[big.url].body = large;
    from.publish(page("foo", 5, {wheel("foo-1.0-py3-none-any.whl"), shared}));
    from.publish(page("bar", 7, {shared, unknown}));
    from.publish(page("empty", 8, {}));
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_time;
    return scenario;
}

Scenario changes_and_removals(std::shared_ptr<Signer> signer) {
    Scenario scenario =
        scenario_of(std::string(signer ? "signed " : "") + "incremental pass with removals");
    scenario.policy.signer = std::move(signer);
    ScriptedMaster& from = scenario.master;
    const File kept = wheel("foo-1.0-py3-none-any.whl");
    const auto foo = page("foo", 5, {kept, sdist("foo-1.0.tar.gz")});
    const auto gone = page("gone", 6, {wheel("gone-1.0-py3-none-any.whl")});
    const auto bad = page("bad", 7, {sdist("bad-1.0.tar.gz")});
    const auto yanked = page("yanked", 8, {sdist("yanked-1.0.tar.gz")});
    const auto swapped = page("swapped", 9, {sdist("swapped-1.0.tar.gz")});
    const auto named = page("named", 10, {});
    for (const auto& one : {foo, gone, bad, yanked, swapped, named}) from.publish(one);
    begin_with_a_mirror(scenario);

    from.publish(page("foo", 21, {kept, wheel("foo-2.0-py3-none-any.whl")}));
    from.event("foo", "remove file foo-1.0.tar.gz", 21);
    from.network.answers.erase(ScriptedMaster::url(gone));
    from.listed.erase("gone");
    from.event("gone", "remove project", 22);
    auto quarantined = page("bad", 23, {});
    quarantined.status.status = "quarantined";
    quarantined.members = R"("project-status":{"status":"quarantined"},"versions":[])";
    from.publish(quarantined);
    from.event("bad", "project quarantined", 23);
    auto less = with_serial(yanked, 24);
    less.files[0].yanked = true;
    less.files[0].yanked_reason = "broken";
    from.publish(less);
    from.event("yanked", "yank release", 24);
    auto other = with_serial(swapped, 25);
    other.files[0] = file_of("swapped-1.0.tar.gz", "other bytes");
    from.publish(other);
    from.network.answers[other.files[0].url].body = "other bytes";
    from.event("swapped", "add source file swapped-1.0.tar.gz", 25);
    from.publish(with_serial(named, 26));
    from.listed.erase("named");
    from.listed["Named"] = 26;
    from.event("Named", "new release", 26);
    from.publish(page("new", 27, {sdist("new-1.0.tar.gz")}));
    from.event("new", "create", 27);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_time;
    return scenario;
}

Scenario changes_taken_back(bool copy) {
    Scenario scenario = scenario_of(std::string(copy ? "copied " : "") + "changes taken back");
    scenario.policy.copy = copy;
    ScriptedMaster& from = scenario.master;
    const auto swapped = page("swapped", 5, {sdist("swapped-1.0.tar.gz")});
    const auto noted = page("noted", 6, {wheel("noted-1.0-py3-none-any.whl")});
    const auto grown = page("grown", 7, {wheel("grown-1.0-py3-none-any.whl")});
    const auto publish_all = [&](std::int64_t serial) {
        for (const auto& one : {swapped, noted, grown})
            publish_as_asked(scenario, with_serial(one, one.serial.value + serial));
    };
    publish_all(0);
    begin_with_a_mirror(scenario);

    // The bytes that a file has from now on, wherever the page links to it.
    const auto serve = [&](const File& file, const std::string& suffix, const std::string& bytes) {
        const auto served = from.network.answers.find(file.url + suffix);
        served->second.body = bytes;
        const std::string copied = std::string(master) + "/" + *file_path(file) + suffix;
        if (copy) from.network.answers[copied] = served->second;
    };
    auto other = with_serial(swapped, 25);
    other.files[0] = file_of("swapped-1.0.tar.gz", "other bytes");
    publish_as_asked(scenario, other);
    serve(other.files[0], "", "other bytes");
    auto renoted = with_serial(noted, 26);
    renoted.files[0].core_metadata.sha256 = sha256("other metadata");
    publish_as_asked(scenario, renoted);
    serve(renoted.files[0], ".metadata", "other metadata");
    auto more = with_serial(grown, 27);
    more.files.push_back(wheel("grown-2.0-py3-none-any.whl"));
    publish_as_asked(scenario, more);
    for (const auto& [name, serial] : from.listed) from.event(name, "add py3 file x", serial);
    from.answer_polls();
    settle(scenario);
    scenario.errand = [changed = from](Disks& disks, const ScriptedMaster& now,
                                       const Policy& policy, Time at, Fate& fate,
                                       const Looks& looks) {
        return sync(disks, at == second_time ? changed : now, policy, at, fate, looks);
    };
    scenario.violations.insert("last-modified is '" + format_basic(second_time) + "\n'");

    from.events.clear();
    publish_all(30);
    for (const auto& [name, serial] : from.listed)
        from.event(name, "remove file grown-2.0-py3-none-any.whl", serial);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = last_time;
    return scenario;
}

Scenario formats_given_up() {
    return other_root(
        "formats given up", [](Policy&) {}, [](Policy& policy) { policy.html = false; });
}

Scenario formats_added() {
    return other_root(
        "formats added, a project left out", [](Policy& policy) { policy.html = false; },
        [](Policy& policy) {
            policy.html = true;
            policy.filter = Filter({"*"}, {"bar"});
        });
}

Scenario keys_changed(std::shared_ptr<Signer> before, std::shared_ptr<Signer> after) {
    return other_root(
        "signing keys changed", [&](Policy& policy) { policy.signer = before; },
        [&](Policy& policy) { policy.signer = after; });
}

// Before and after changes and a removal, and `turn` between the two.
static Scenario copying(const std::string& name, bool copy, std::shared_ptr<Signer> key,
                        const std::function<void(Scenario&)>& turn) {
    Scenario scenario = scenario_of(name);
    scenario.policy.copy = copy;
    scenario.master_key = std::move(key);
    ScriptedMaster& from = scenario.master;
    const File kept = wheel("foo-1.0-py3-none-any.whl");
    const auto gone = page("gone", 6, {wheel("gone-1.0-py3-none-any.whl")});
    const auto bar = page("bar", 7, {sdist("bar-1.0.tar.gz")});
    publish_as_asked(scenario, page("foo", 5, {kept, sdist("foo-1.0.tar.gz")}));
    publish_as_asked(scenario, gone);
    publish_as_asked(scenario, bar);
    begin_with_a_mirror(scenario);

    turn(scenario);
    publish_as_asked(scenario, bar);
    publish_as_asked(scenario, page("foo", 21, {kept, wheel("foo-2.0-py3-none-any.whl")}));
    from.event("foo", "remove file foo-1.0.tar.gz", 21);
    from.network.answers.erase(ScriptedMaster::url(gone));
    from.listed.erase("gone");
    from.event("gone", "remove project", 22);
    publish_as_asked(scenario, page("new", 27, {sdist("new-1.0.tar.gz"), sdist("new-2.0.tar.gz")}));
    from.event("new", "create", 27);
    from.answer_polls();
    settle(scenario);
    scenario.truth.poll = second_time;
    return scenario;
}

Scenario copies_changed(std::shared_ptr<Signer> key) {
    const char* name = key ? "copied pages" : "copied pages without signatures";
    return copying(name, true, std::move(key), [](Scenario&) {});
}

Scenario copies_begun(std::shared_ptr<Signer> key) {
    return copying("pages copied from now on", false, std::move(key),
                   [](Scenario& scenario) { scenario.policy.copy = true; });
}

Scenario copies_ended(std::shared_ptr<Signer> key) {
    return copying("pages no longer copied", true, std::move(key),
                   [](Scenario& scenario) { scenario.policy.copy = false; });
}

Scenario master_key_changed(std::shared_ptr<Signer> before, std::shared_ptr<Signer> after) {
    return copying("another key of the master", true, std::move(before), [&](Scenario& scenario) {
        scenario.master_key = after;
        scenario.master.event("", "keyrotate ", 20);
    });
}

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

    // A page that is made again has its alias renamed last: a stop between the two leaves both
    // whole.
    const auto excuse_page_of = [&](const std::string& path) {
        scenario.damaged.insert(path);
        if (path.starts_with("web/simple/"))
            scenario.damaged.insert(path.substr(0, path.rfind('/') + 1) + layout::v1_html_name);
    };
    // What each damage alone lets show is excused, since one may hide another.
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
    return scenario;
}

}  // namespace faults
