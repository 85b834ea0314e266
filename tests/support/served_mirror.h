// A small tree, served by the embedded web server.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "pep381d/serve/web_server.h"

#include "support/silent_log.h"
#include "support/temporary_directory.h"
#include "support/web_client.h"

namespace served {

using pep381d::WebServer;

inline const std::string json_page =
    R"({"meta":{"_last-serial":12,"api-version":"1.4"},"name":"foo-bar","files":[],"versions":[]})";
inline const std::string html_page = "<!DOCTYPE html>\n<html></html>\n<!--SERIAL 12-->\n";
inline const std::string wheel = "packages/ab/cd/ef/foo_bar-1.0-py3-none-any.whl";

// A tree and a server over it.
struct Mirror {
    TemporaryDirectory directory;
    SilentLog log;
    WebServer server;

    explicit Mirror(std::chrono::milliseconds patience = std::chrono::minutes(1))
        : server({filled().string(), "127.0.0.1:0", patience}, log) {}

    std::filesystem::path filled() const {
        directory.write("state.db", "secret");
        directory.write("web/simple/index.html", "<!DOCTYPE html>\n<!--SERIAL 40-->\n");
        directory.write("web/simple/index.v1_json",
                        R"({"meta":{"_last-serial":40},"projects":[]})");
        directory.write("web/simple/foo-bar/index.html", html_page);
        directory.write("web/simple/foo-bar/index.v1_json", json_page);
        directory.write("web/simple/html-only/index.html", html_page);
        directory.write("web/simple/json-only/index.v1_json", json_page);
        directory.write("web/" + wheel, "0123456789");
        directory.write("web/" + wheel + ".metadata", "Metadata-Version: 2.1\n");
        directory.write("web/last-modified", "20261121T21:15:47\n");
        directory.write("web/serversig/foo-bar", std::string("\x30\x00\x02", 3));
        directory.write("web/pypi/foo-bar/json", "{}");
        std::filesystem::create_symlink("../../../state.db",
                                        directory.path() / "web/packages/link");
        return directory.path() / "web";
    }
    WebAnswer get(const std::string& target, const std::vector<std::string>& headers = {}) const {
        return ::get(server.port(), target, headers);
    }
    WebAnswer head(const std::string& target, const std::vector<std::string>& headers = {}) const {
        return ::get(server.port(), target, headers, "HEAD");
    }
};

}  // namespace served
