// Requests to the embedded server: lines for target, Accept, Range, If-None-Match and If-Range.
// Whatever they are, no byte from outside of the published tree goes out, no header is the
// client's, and no part is longer than the file.
#include <filesystem>

#include "pep381d/serve/negotiation.h"
#include "pep381d/serve/range.h"
#include "pep381d/serve/request_path.h"
#include "pep381d/serve/site.h"
#include "pep381d/serve/words.h"

#include "fuzz.h"
#include "support/silent_log.h"
#include "support/temporary_directory.h"

using namespace pep381d;
using fuzz::require;

namespace {

const std::string secret = "what lies outside";
const std::string content = "0123456789";

// A tree with everything that has an address, and with what must have none.
struct World {
    TemporaryDirectory directory;
    SilentLog log;
    std::optional<Site> site;

    World() {
        directory.write("state.db", secret);
        directory.write("staging/part", secret);
        for (const char* name : {"index.html", "index.v1_json"}) {
            directory.write(std::string("web/simple/") + name, content);
            directory.write(std::string("web/simple/foo/") + name, content);
        }
        for (const char* name : {"packages/a/foo-1.zip", "last-modified", "serversig/foo",
                                 "pypi/foo/json", "status/status.json"})
            directory.write(std::string("web/") + name, content);
        directory.write("web/.hidden", secret);
        directory.write("web/packages/.hidden", secret);
        directory.write("web/elsewhere/x", secret);
        const auto web = directory.path() / "web";
        std::filesystem::create_symlink("../../state.db", web / "packages/link");
        std::filesystem::create_directory_symlink("../..", web / "packages/up");
        std::filesystem::create_directory_symlink("../../staging", web / "simple/up");
        site.emplace(web.string(), log);
    }
};

void check_resource(const std::string& target) {
    const Resource resource = resource_of(target);
    std::string_view rest(resource.path);
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        const std::string_view component = rest.substr(0, slash);
        require(!component.empty() && component.front() != '.', "a path stays in the tree",
                resource.path);
        require(!fuzz::has_control(component.substr(0, 0)) &&
                    component.find('\0') == std::string_view::npos,
                "a path is one for the system too", resource.path);
        rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    }
    const std::string& location = resource.location;
    require((resource.kind == Resource::Kind::redirect) == !location.empty(),
            "a redirect leads somewhere");
    const std::string path = location.substr(0, location.find('?'));
    require(path.find(':') == std::string::npos && !path.starts_with("/") &&
                path.find("//") == std::string::npos && path.find('\\') == std::string::npos,
            "a redirect leads to this site", location);
    for (const char c : location)
        require(c > 0x20 && c < 0x7f, "a redirect is one header", location);
}

void check_reply(const SiteReply& reply) {
    require(reply.status >= 200 && reply.status < 600, "a status is one");
    for (const auto& [name, value] : reply.headers)
        require(!fuzz::has_control(name) && !fuzz::has_control(value), "a header is one line",
                value);
    require(reply.body.find(secret) == std::string::npos, "nothing from outside goes out",
            reply.body);
    if (!reply.descriptor) return;
    require(reply.offset + reply.length <= content.size(), "a part lies in its file");
    std::string bytes(reply.length, '\0');
    const auto got = ::pread(reply.descriptor.get(), bytes.data(), bytes.size(),
                             static_cast<off_t>(reply.offset));
    require(got == static_cast<ssize_t>(reply.length), "a part is there");
    require(bytes == content.substr(reply.offset, reply.length), "a part is the file's", bytes);
}

void check_slice(std::string_view range) {
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{10}, ~std::uint64_t{0}}) {
        const Slice slice = slice_of(range, size);
        require(slice.offset <= size && slice.length <= size - slice.offset,
                "a part lies in its file", range);
        require(slice.kind != Slice::Kind::part || slice.length > 0, "a part is not empty", range);
    }
}

}  // namespace

void fuzz_one(std::string_view input) {
    static const World world;
    auto lines = fuzz::lines_of(input);
    // A server hands on strings of C.
    for (std::string& line : lines) line.resize(std::min(line.size(), line.find('\0')));
    lines.resize(6);
    check_resource(lines[0]);
    require(acceptable(lines[1], lines[2]).size() <= 3, "there are three forms");
    check_slice(lines[2]);
    const auto given = [&](std::size_t i) {
        return lines[i].empty() ? std::nullopt : std::optional(lines[i]);
    };
    for (const bool head : {false, true})
        check_reply(world.site->answer({.head = head,
                                        .target = lines[0],
                                        .accept = given(1),
                                        .if_none_match = given(3),
                                        .if_modified_since = given(4),
                                        .range = given(2),
                                        .if_range = given(5)}));
}
