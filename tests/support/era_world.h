// A mirror whose master speaks whatever a test makes it say: the questions and answers of every era
// (master/protocol.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/sync_world.h"

namespace sample {

using namespace pep381d;

inline constexpr const char* root = "https://master.example/simple/";
inline constexpr const char* dated = "https://master.example/last-modified";

inline std::string xml(const std::string& value) {
    return "<?xml version='1.0'?><methodResponse><params><param><value>" + value +
           "</value></param></params></methodResponse>";
}
inline std::string array(const std::string& values) {
    return "<array><data>" + values + "</data></array>";
}
inline std::string fault(int code, const std::string& text) {
    return "<?xml "
           "version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode</name>"
           "<value><int>" +
           std::to_string(code) +
           "</int></value></member><member><name>faultString</name><value><string>" + text +
           "</string></value></member></struct></value></fault></methodResponse>";
}
inline std::string row(const std::string& name, std::int64_t time, const std::string& action,
                       const std::string& version = "") {
    return "<value>" +
           array("<value><string>" + name + "</string></value><value>" +
                 (version.empty() ? "<nil/>" : "<string>" + version + "</string>") +
                 "</value><value><int>" + std::to_string(time) + "</int></value><value><string>" +
                 action + "</string></value>") +
           "</value>";
}

// Answers only what a test says.
struct EraWorld : SyncWorld {
    EraWorld() { policy.protocol = Protocol::automatic; }

    std::optional<Failure> look() {
        network.asked.clear();
        Staging staging(tree);
        Committer committer(state, tree, policy, clock, log, false);
        Engine engine(network, staging, committer, policy, clock, log,
                      files_may_be_unknown(state, tree), hooks);
        committer.start([] {});
        const auto failure = engine.pass(true);
        committer.stop();
        committer.check();
        left = committer.counters().pending;
        return failure;
    }
    void look_well() {
        const auto failure = look();
        INFO((failure ? failure->what : cause_of("foo") + cause_of("bar")));
        REQUIRE(!failure);
        REQUIRE(left == 0);
    }

    void say(const std::string& method, const std::string& body) {
        network.answers[method] = {body, "text/xml"};
    }
    // A root index; serial 0: without one.
    void list(const std::vector<std::pair<std::string, int>>& projects, int serial = 0) {
        std::string json = "{\"meta\":{" +
                           (serial > 0 ? "\"_last-serial\":" + std::to_string(serial) + "," : "") +
                           "\"api-version\":\"1.0\"},\"projects\":[";
        for (const auto& [name, its] : projects)
            json += (json.ends_with('[') ? "{" : ",{") +
                    (its > 0 ? "\"_last-serial\":" + std::to_string(its) + "," : "") +
                    "\"name\":\"" + name + "\"}";
        network.answers[root] = {json + "]}"};
    }
    // A page of a PEP 381 master, whose files are their names.
    void legacy_page(const std::string& display, const std::vector<std::string>& files) {
        std::string html = "<html><head><title>Links for " + display + "</title></head><body>";
        for (const std::string& file : files) {
            const std::string path = "packages/source/x/" + display + "/" + file;
            Hasher md5(Algorithm::md5);
            md5.update(file);
            html += "<a href=\"../../" + path + "#md5=" + to_hex(md5.finish()) + "\">" + file +
                    "</a><br/>";
            network.answers[std::string(master) + "/" + path] = {file, "application/octet-stream"};
        }
        network.answers[root + display + "/"] = {html + "</body></html>", "text/html"};
    }
    void pep381(const std::string& names, const std::string& rows) {
        say("changelog_last_serial", fault(1, "method \"changelog_last_serial\" is not supported"));
        say("list_packages", xml(array(names)));
        say("changelog", xml(array(rows)));
    }
    std::string protocol() { return state.text(Note::protocol).value_or(""); }
    std::int64_t serial_of(const std::string& name) {
        const auto ours = state.published(*ProjectName::parse(name));
        return ours ? ours->serial.value : -1;
    }
    int asked(const std::string& key) { return network.asked[key]; }
    int asked_in_all() {
        int all = 0;
        for (const auto& [key, count] : network.asked) all += count;
        return all;
    }
};

inline std::int64_t seconds(Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace sample
