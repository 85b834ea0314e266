// A mirror that copies the pages of a master of PEP 381, which signs them.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/signers.h"
#include "support/sync_world.h"

namespace sample {

using namespace pep381d;

struct Copying : SyncWorld {
    std::shared_ptr<Signer> signer = quick_signer(0);
    std::map<std::string, std::string> pages;  // as the master has them
    std::int64_t rows = 0;

    explicit Copying(bool synced = true) {
        policy.protocol = Protocol::pep381;
        policy.copy = true;
        say("list_packages", "<value>foo</value><value>bar</value>");
        say("changelog", "");
        show("foo", {"foo-1.0.tar.gz"});
        show("bar", {"bar-1.0.tar.gz"});
        sign_all();
        if (!synced) return;
        sync();
        REQUIRE(left == 0);
    }

    void say(const std::string& method, const std::string& values) {
        network.answers[method] = {
            "<?xml version='1.0'?><methodResponse><params><param><value><array><data>" + values +
                "</data></array></value></param></params></methodResponse>",
            "text/xml"};
    }
    // A page, and its signature by the key of now.
    void show(const std::string& name, const std::vector<std::string>& files) {
        std::string html = "<html><head><title>Links for " + name + "</title></head><body>";
        for (const std::string& file : files) {
            Hasher md5(Algorithm::md5);
            md5.update(file);
            const std::string path = "packages/source/x/" + name + "/" + file;
            html += "<a href=\"../../" + path + "#md5=" + to_hex(md5.finish()) + "\">x</a>";
            network.answers[std::string(master) + "/" + path] = {file, "application/octet-stream"};
        }
        pages[name] = html + "</body></html>";
        network.answers[page_at(name)] = {pages[name], "text/html"};
        sign(name);
    }
    void sign(const std::string& name) {
        network.answers[signature_at(name)] = {signer->keys().dsa.sign(pages[name]), ""};
    }
    void sign_all() {
        network.answers[key_at()] = {signer->keys().dsa.public_key().pem(), "text/plain"};
        for (const auto& [name, page] : pages) sign(name);
    }
    void news(const std::string& name, const std::vector<std::string>& files) {
        show(name, files);
        tell(name, "new release");
    }
    // A row of the journal.
    void tell(const std::string& name, const std::string& action) {
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(
            clock.now().time_since_epoch() + std::chrono::seconds(++rows));
        say("changelog", "<value><array><data><value><string>" + name +
                             "</string></value><value><string>2.0</string></value><value><int>" +
                             std::to_string(now.count()) + "</int></value><value><string>" +
                             action + "</string></value></data></array></value>");
    }
    static std::string key_at() { return std::string(master) + "/serverkey"; }
    static std::string page_at(const std::string& name) {
        return std::string(master) + "/simple/" + name + "/";
    }
    static std::string signature_at(const std::string& name) {
        return std::string(master) + "/serversig/" + name;
    }

    void sync() {
        network.asked.clear();
        const auto failure = pass();
        INFO((failure ? failure->what : ""));
        REQUIRE_FALSE(failure);
    }
    std::pair<std::string, std::string> shown(const std::string& name) {
        return {bytes("simple/" + name + "/index.html"), bytes("serversig/" + name)};
    }
    // The master's page of now, with a signature of it by the master's key of now.
    bool is_current(const std::string& name) {
        const auto [page, signature] = shown(name);
        return page == pages[name] && signer->keys().dsa.public_key().verifies(page, signature);
    }
    // Time goes on, with a pass each minute.
    void sync_for(std::chrono::minutes time) {
        for (; time > 0min; time -= 1min) {
            clock.advance(1min);
            sync();
        }
    }
};

}  // namespace sample
