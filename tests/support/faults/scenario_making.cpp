#include "support/faults/scenario_making.h"

#include <map>

#include "pep381d/master/page_html.h"
#include "pep381d/master/page_json.h"
#include "pep381d/pages/root_index.h"
#include "pep381d/plan/page_plan.h"
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

}  // namespace

Scenario scenario_of(const std::string& name) {
    Scenario scenario;
    scenario.name = name;
    scenario.policy = usual_policy();
    return scenario;
}

File file_of(const std::string& name, const std::string& bytes) {
    File file = sdist(name);
    file.digests = {{Algorithm::sha256, sha256(bytes)}};
    file.size = static_cast<std::int64_t>(bytes.size());
    return file;
}

ProjectPage with_serial(ProjectPage page, std::int64_t serial) {
    page.serial = Serial{serial};
    return page;
}

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

}  // namespace faults
