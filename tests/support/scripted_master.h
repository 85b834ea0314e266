// A master in a scripted network: its pages, the files that they name, its list and its journal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "pep381d/pages/project_page.h"

#include "support/sample_page.h"
#include "support/scripted_transport.h"

namespace sample {

inline constexpr const char* master = "https://master.example";

inline std::string serial_answer(std::int64_t serial) {
    return "<?xml version='1.0'?><methodResponse><params><param><value><int>" +
           std::to_string(serial) + "</int></value></param></params></methodResponse>";
}

struct ScriptedMaster {
    ScriptedTransport network;
    std::map<std::string, std::int64_t> listed;  // what the list says
    std::string listed_too;                      // more members of it
    std::string events;                          // rows of the changelog
    std::int64_t newest = 0;
    bool cut_list = false;

    // The master has this page, and the files that it names.
    void publish(const ProjectPage& page) {
        for (const File& file : page.files) {
            network.answers[file.url] = {file.name.text(), "application/octet-stream"};
            if (file.core_metadata.offered)
                network.answers[file.url + ".metadata"] = {"metadata of " + file.name.text(),
                                                           "text/plain"};
        }
        network.answers[url(page)] = {project_json(page)};
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

    // What a poll is answered from now on.
    void answer_polls() {
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
    }
};

}  // namespace sample
