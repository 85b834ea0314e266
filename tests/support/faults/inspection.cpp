#include "support/faults/inspection.h"

#include <algorithm>
#include <string_view>

#include "pep381d/base/digest.h"
#include "pep381d/master/page_json.h"
#include "pep381d/pages/project_page.h"
#include "pep381d/state/state.h"
#include "pep381d/tree/layout.h"

namespace faults {

using namespace pep381d;

namespace {

const std::string simple = "web/simple/";

// Empty: the master names none.
DigestBytes digest_of(const File& file) {
    return file.digests.empty() ? DigestBytes() : file.digests.front().bytes;
}

// The SHA-256 of what lies at this path, in hexadecimal; empty: it should not lie there.
std::string hash_of(const std::string& path, const std::string& bytes, const Truth& truth) {
    const auto contents = truth.contents.find(path);
    if (contents == truth.contents.end()) return {};
    const auto known = contents->second.find(bytes);
    return known == contents->second.end() ? std::string() : known->second;
}

// What lies at this path in the end: these bytes, or a signature of them.
bool is_right(const std::string& path, const std::string& bytes, const std::string& wanted,
              const Truth& truth) {
    if (!path.starts_with("web/serversig/")) return bytes == wanted;
    const PrivateKey& key =
        path.ends_with(ed25519_suffix) ? truth.signer->keys().ed25519 : truth.signer->keys().dsa;
    return key.public_key().verifies(wanted, bytes);
}

// Looks at the published tree alone, as a reader does.
class Reader {
  public:
    Reader(const Volume& tree, const Truth& truth, Time poll)
        : tree_(tree), truth_(truth), poll_(poll) {}

    Violations look() {
        for (const auto& [path, file] : tree_.names()) {
            if (!path.starts_with(simple)) continue;
            const std::string rest = path.substr(simple.size());
            const auto slash = rest.find('/');
            const bool root = slash == std::string::npos;
            const std::string name = root ? rest : rest.substr(slash + 1);
            if (name == "index.v1_json")
                root ? root_json(path, file->bytes)
                     : page_json(path, rest.substr(0, slash), file->bytes);
            else
                root ? root_html(path, name, file->bytes) : page_html(path, file->bytes);
        }
        outside();
        return std::move(violations_);
    }

  private:
    void report(const std::string& what) { violations_.push_back(what); }

    bool whole(const std::string& path, const std::string& bytes, std::string_view end) {
        if (bytes.ends_with(end)) return true;
        report(path + " is torn");
        return false;
    }

    // A link on the page at `from` to `path`, below web/, and its SHA-256 in hexadecimal; empty:
    // the page does not say it.
    void link(const std::string& from, const std::string& path, const std::string& sha256_hex) {
        const auto file = tree_.find("web/" + path);
        if (!file) {
            report(from + " links to " + path + ", which is not there");
            return;
        }
        const std::string hex = hash_of("web/" + path, file->bytes, truth_);
        if (hex.empty())
            report(from + " links to " + path + ", which is damaged");
        else if (!sha256_hex.empty() && hex != sha256_hex &&
                 !truth_.replaced.contains("web/" + path))
            report(from + " links to " + path + " with another hash");
    }

    void page_html(const std::string& path, const std::string& bytes) {
        if (!whole(path, bytes, "-->\n")) return;
        constexpr std::string_view start = "href=\"../../";
        for (auto at = bytes.find(start); at != std::string::npos; at = bytes.find(start, at + 1)) {
            const auto from = at + start.size();
            const std::string url = bytes.substr(from, bytes.find('"', from) - from);
            const auto hash = url.find("#sha256=");
            const std::string file = url.substr(0, hash);
            link(path, file, hash == std::string::npos ? "" : url.substr(hash + 8));
            const std::string tag = bytes.substr(at, bytes.find('>', at) - at);
            constexpr std::string_view metadata = "data-core-metadata=\"sha256=";
            const auto companion = tag.find(metadata);
            if (companion != std::string::npos)
                link(path, file + ".metadata", tag.substr(companion + metadata.size(), 64));
        }
    }

    void page_json(const std::string& path, const std::string& name, const std::string& bytes) {
        const auto page =
            read_page_json(bytes, "http://m/simple/" + name + "/", *ProjectName::parse(name));
        if (!page) {
            report(path + " is torn: " + page.failure().what);
            return;
        }
        for (const File& file : page.value().page.files) {
            constexpr std::string_view host = "http://m/";
            if (!file.url.starts_with(host)) continue;
            const std::string to = file.url.substr(host.size());
            link(path, to, to_hex(digest_of(file)));
            if (file.core_metadata.offered)
                link(path, to + ".metadata", to_hex(file.core_metadata.sha256));
        }
    }

    void listed(const std::string& root, const std::string& project, const std::string& form) {
        if (!tree_.find(simple + project + "/" + form))
            report(root + " lists " + project + ", whose page is not there");
    }

    void root_html(const std::string& path, const std::string& form, const std::string& bytes) {
        if (!whole(path, bytes, "-->\n")) return;
        constexpr std::string_view start = "<a href=\"";
        for (auto at = bytes.find(start); at != std::string::npos; at = bytes.find(start, at + 1)) {
            const auto from = at + start.size();
            listed(path, bytes.substr(from, bytes.find('/', from) - from), form);
        }
    }

    void root_json(const std::string& path, const std::string& bytes) {
        if (!whole(path, bytes, "]}\n")) return;
        constexpr std::string_view start = "\"name\":\"";
        for (auto at = bytes.find(start); at != std::string::npos; at = bytes.find(start, at + 1)) {
            const auto from = at + start.size();
            const auto name = ProjectName::parse(bytes.substr(from, bytes.find('"', from) - from));
            listed(path, name ? name->text() : "?", "index.v1_json");
        }
    }

    void outside() {
        for (const auto& path : {layout::status_html, layout::status_json})
            if (const auto file = tree_.find(path))
                (void)whole(path, file->bytes, path == layout::status_html ? "</html>\n" : "}\n");
        const auto file = tree_.find(layout::last_modified);
        if (!file) return;
        if (truth_.before != Time{} && file->bytes == format_basic(truth_.before) + "\n") return;
        if (file->bytes != format_basic(poll_) + "\n") {
            report("last-modified is '" + file->bytes + "'");
            return;
        }
        for (const auto& [path, bytes] : truth_.tree) {
            const auto there = tree_.find(path);
            if (!there || !is_right(path, there->bytes, bytes, truth_))
                report("last-modified is ahead of " + path + (there ? "" : ", which is not there"));
        }
    }

    const Volume& tree_;
    const Truth& truth_;
    const Time poll_;
    Violations violations_;
};

}  // namespace

Violations inspect(const Volume& tree, const Truth& truth) {
    return Reader(tree, truth, truth.poll).look();
}

Violations inspect(State& state, const Volume& tree, const Truth& truth) {
    Violations violations;
    const auto check = [&](const std::string& path, const DigestBytes& digest) {
        const std::string place = layout::published(path);
        const auto there = tree.find(place);
        const std::string hex = there ? hash_of(place, there->bytes, truth) : "";
        const bool other = hex != to_hex(digest) && !truth.replaced.contains(place);
        if (hex.empty() || (!digest.empty() && other))
            violations.push_back("the state holds " + path +
                                 (there ? ", which is damaged" : ", which is not there"));
    };
    const auto formats = state.text(Note::made_formats);
    const bool json = formats && !formats->starts_with("on the way") &&
                      formats->find("json") != std::string::npos;
    for (const ProjectName& name : state.projects_after("", 1000)) {
        const auto page = state.page(name);
        for (const File& file : page->files) {
            if (file.held) check(file.path, digest_of(file));
            if (file.metadata_held) check(file.path + ".metadata", file.core_metadata.sha256);
        }
        const auto there = tree.find(layout::published(layout::page_json(name)));
        if (json && !there)
            violations.push_back("the page of " + name.text() + " is not there");
        else if (json && !state.queued(name) && there->bytes != project_json(*page))
            violations.push_back("the page of " + name.text() + " is not what the state says");
    }
    return violations;
}

Violations inspect_end(const Volume& tree, const Truth& truth, Time poll) {
    Violations violations = Reader(tree, truth, poll).look();
    std::map<std::string, std::string> rest = truth.tree;
    rest[layout::last_modified] = format_basic(poll) + "\n";
    for (const auto& [path, file] : tree.names()) {
        if (path.starts_with("web/status/")) continue;
        const auto expected = rest.find(path);
        if (expected == rest.end())
            violations.push_back("in the end there is " + path);
        else if (!is_right(path, file->bytes, expected->second, truth))
            violations.push_back("in the end " + path + " is not as at the master");
        if (expected != rest.end()) rest.erase(expected);
    }
    for (const auto& [path, bytes] : rest) violations.push_back("in the end there is no " + path);
    for (const std::string& path : tree.directories())
        if (path.starts_with("staging/")) violations.push_back("in the end there is " + path);
    for (const auto& path : {layout::status_html, layout::status_json})
        if (!tree.find(path)) violations.push_back("in the end there is no " + path);
    return violations;
}

Violations inspect_end(State& state, const Volume& tree, const Truth& truth) {
    Violations violations = inspect(state, tree, truth);
    for (const FailingProject& project : state.failing_projects(10))
        violations.push_back("in the end " + project.name + " waits: " + project.cause);
    if (state.pending() != 0) violations.push_back("in the end the queue is not empty");
    if (!state.intended().empty())
        violations.push_back("in the end there is still a file to place");
    if (state.next_removal()) violations.push_back("in the end there is still a file to remove");
    const Totals totals = state.totals();
    if (totals.files != truth.files || totals.bytes != truth.bytes)
        violations.push_back("in the end the totals are " + std::to_string(totals.files) +
                             " files, " + std::to_string(totals.bytes) + " bytes");
    return violations;
}

std::set<std::string> whole_files(const Volume& tree, const Truth& truth) {
    std::set<std::string> urls;
    const auto add = [&](const std::string& hex, const std::string& at) {
        const auto known = truth.urls.find(hex);
        if (known == truth.urls.end()) return;
        for (const std::string& url : known->second)
            if (at.empty() || url.ends_with(at)) urls.insert(url);
    };
    for (const auto& [path, file] : tree.names()) {
        constexpr std::string_view packages = "web/packages/", staging = "staging/";
        if (file->cached) continue;
        if (path.starts_with(packages)) add(hash_of(path, file->bytes, truth), path.substr(3));
        const std::string name = path.substr(staging.size(), 64);
        if (path.starts_with(staging) && truth.urls.contains(name) &&
            to_hex(sha256(file->bytes)) == name)
            add(name, {});
    }
    return urls;
}

}  // namespace faults
