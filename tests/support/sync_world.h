// A mirror and its master for tests of the whole way of a change: a scripted network, a clock of
// the test's own, the real disk and the real database.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "pep381d/pages/project_page.h"
#include "pep381d/sync/engine.h"
#include "pep381d/tree/directory_tree.h"

#include "support/manual_clock.h"
#include "support/sample_page.h"
#include "support/scripted_transport.h"
#include "support/silent_log.h"
#include "support/temporary_directory.h"

namespace sample {

using namespace std::chrono_literals;

inline constexpr const char* master = "https://master.example";

inline std::string serial_answer(std::int64_t serial) {
    return "<?xml version='1.0'?><methodResponse><params><param><value><int>" +
           std::to_string(serial) + "</int></value></param></params></methodResponse>";
}

struct SyncWorld {
    TemporaryDirectory directory;
    DirectoryTree tree{directory.path().string()};
    State state{directory.path() / "state.db", State::Access::write};
    ManualClock clock;
    SilentLog log;
    Policy policy;
    ScriptedTransport network;
    Transport* transport = &network;
    std::map<std::string, std::int64_t> listed;  // what the master's list says
    std::string listed_too;                      // more members of it
    std::string events;                          // rows of its changelog
    std::int64_t newest = 0;
    bool cut_list = false;
    std::int64_t left = 0;  // projects, as the newest pass counted them
    Engine::Hooks hooks;

    SyncWorld() {
        policy.master = master;
        policy.master_shown = master;
        policy.patience = 0ms;
    }

    // The master has this page, and the files that it names.
    void publish(const ProjectPage& page) {
        ProjectPage as_master = page;
        for (File& file : as_master.files) {
            network.answers[file.url] = {file.name.text(), "application/octet-stream"};
            if (file.core_metadata.offered)
                network.answers[file.url + ".metadata"] = {"metadata of " + file.name.text(),
                                                           "text/plain"};
        }
        network.answers[url(page)] = {project_json(as_master)};
        listed[page.name.text()] = page.serial.value;
        newest = std::max(newest, page.serial.value);
    }
    void event(const std::string& name, const std::string& action, std::int64_t serial) {
        events += "<value><array><data><value><string>" + name +
                  "</string></value><value><nil/></value><value><int>1</int>" +
                  "</value><value><string>" + action + "</string></value><value><int>" +
                  std::to_string(serial) + "</int></value></data></array></value>";
        newest = std::max(newest, serial);
    }
    static std::string url(const ProjectPage& page) {
        return std::string(master) + "/simple/" + page.name.text() + "/";
    }

    std::optional<Failure> pass() {
        std::string list = "<?xml version='1.0'?><methodResponse><params><param><value><struct>";
        for (const auto& [name, serial] : listed)
            list += "<member><name>" + name + "</name><value><int>" + std::to_string(serial) +
                    "</int></value></member>";
        network.answers["list_packages_with_serial"] = {
            list + listed_too + "</struct></value></param></params></methodResponse>", "text/xml"};
        if (cut_list) {
            auto& body = network.answers["list_packages_with_serial"].body;
            body.resize(body.size() - 60);
        }
        network.answers["changelog_last_serial"] = {serial_answer(newest), "text/xml"};
        network.answers["changelog_since_serial"] = {
            "<?xml version='1.0'?><methodResponse><params><param><value><array><data>" + events +
                "</data></array></value></param></params></methodResponse>",
            "text/xml"};
        Staging staging(tree);
        Committer committer(state, tree, policy, clock, log, false);
        Engine engine(*transport, staging, committer, policy, clock, log, state.any_intended(),
                      hooks);
        committer.start([] {});
        const auto failure = engine.pass(true);
        committer.stop();
        committer.check();
        left = committer.counters().pending;
        events.clear();
        return failure;
    }

    bool there(const std::string& path) {
        return std::filesystem::exists(directory.path() / "web" / path);
    }
    // As somebody else leaves it there.
    void put(const std::string& path, const std::string& bytes) {
        const auto to = directory.path() / "web" / path;
        std::filesystem::create_directories(to.parent_path());
        std::ofstream(to) << bytes;
    }
    std::string bytes(const std::string& path) {
        std::ifstream file(directory.path() / "web" / path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string page_of(const std::string& name) {
        return bytes("simple/" + name + "/index.v1_json");
    }
    std::string cause_of(const std::string& name) {
        for (const auto& project : state.failing_projects(1000))
            if (project.name == name) return project.cause;
        return {};
    }
};

inline const ProjectPage foo =
    page("foo", 5, {wheel("foo-1.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")});
inline const ProjectPage bar = page("bar", 7, {sdist("bar-1.0.tar.gz")});

}  // namespace sample
