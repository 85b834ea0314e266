#include "support/sample/site.h"

#include "support/sample/legacy.h"
#include "support/sample/negotiation.h"
#include "support/sample/signing.h"
#include "support/sample/text.h"
#include "support/sample/xmlrpc.h"

namespace sample {
namespace {

constexpr std::string_view simple = "/simple/", signatures = "/serversig/", companion = ".metadata";
constexpr std::size_t most_counters = 200'000;

Response plain(int status, const std::string& text) {
    Response response;
    response.status = status;
    response.set("Content-Type", "text/plain; charset=utf-8");
    response.set_body(text + "\n");
    return response;
}

Response not_found() {
    return plain(404, "404 Not Found");
}

Response moved(const std::string& location) {
    auto response = plain(301, "301 Moved Permanently");
    response.set("Location", location);
    return response;
}

bool is_xmlrpc_path(const std::string& path) {
    return path == "/pypi" || path == "/pypi/" || path == "/RPC2";
}

bool is_read(const Request& request) {
    return request.method == "GET" || request.method == "HEAD";
}

// PyPI adds no charset to the JSON type, and shadowmire takes it only so.
Response simple_page(const Request& request, const std::string& type, std::string text,
                     std::optional<std::int64_t> serial) {
    Response response;
    response.set("Content-Type", type == "text/html" ? "text/html; charset=utf-8" : type);
    response.set("Cache-Control", "max-age=600, public");
    response.set("Vary", "Accept, Accept-Encoding");
    if (serial) response.set("X-PyPI-Last-Serial", std::to_string(*serial));
    response.set("Access-Control-Allow-Origin", "*");
    response.set("Access-Control-Expose-Headers", "X-PyPI-Last-Serial");
    response.set_body(std::move(text));
    return finished_page(std::move(response), request);
}

bool is_json(const std::string& type) {
    return type.ends_with("+json");
}

}  // namespace

Response Site::xmlrpc(const Request& request, bool stale) const {
    Response response;
    response.set("Content-Type", "text/xml; charset=UTF-8");
    response.set_body(xmlrpc_answer(index_, request.body, stale));
    response = finished_page(std::move(response), request);
    response.set("Vary", "Accept-Encoding");
    return response;
}

Response Site::root_page(const Request& request, bool stale) const {
    const auto type = page_type(request);
    const bool serials = era_ == Era::warehouse;
    const auto serial = index_.told_serial(stale);
    auto entries = index_.list(false, stale);
    auto text = is_json(type) ? root_json(std::move(entries), serial, serials)
                              : root_html(std::move(entries));
    return simple_page(request, type, std::move(text),
                       serials ? std::optional(serial) : std::nullopt);
}

Response Site::project_page(const Request& request, const std::string& name, bool stale) const {
    const Project* project = index_.shown(normalized(name), stale);
    if (project == nullptr) return not_found();
    if (project->name != name) return moved(std::string{simple} + project->name + "/");
    const auto type = page_type(request);
    const bool serials = era_ == Era::warehouse;
    auto text = is_json(type) ? project_json(*project, bases_, serials)
                              : project_html(*project, bases_, serials);
    return simple_page(request, type, std::move(text),
                       serials ? std::optional(project->serial) : std::nullopt);
}

// /integrity/PROJECT/VERSION/FILE/provenance; the attestation itself is none.
Response Site::provenance(const Request& request) const {
    const auto parts = split(request.path, '/');
    if (parts.size() != 6 || parts[5] != "provenance") return not_found();
    const Project* project = index_.shown(parts[2], false);
    if (project == nullptr) return not_found();
    for (const auto& release : project->releases)
        for (const auto& file : release.files) {
            if (!file.provenance || file.blob->filename() != parts[4] ||
                release.version != parts[3])
                continue;
            Response response;
            response.set("Content-Type", "application/vnd.pypi.integrity.v1+json");
            response.set("Cache-Control", "max-age=600, public");
            response.set_body("{\"attestation_bundles\":[],\"version\":1}");
            return finished_page(std::move(response), request);
        }
    return not_found();
}

Response Site::page(const Request& request, bool stale) const {
    const auto& path = request.path;
    if (era_ != Era::warehouse && path == "/last-modified") return last_modified();
    if (era_ == Era::pep381) return legacy_page(request, stale);
    if (era_ == Era::warehouse && is_xmlrpc_path(path) && request.method == "POST" &&
        lower(request.header("content-type")).starts_with("text/xml"))
        return xmlrpc(request, stale);
    if (!is_read(request)) return plain(is_xmlrpc_path(path) ? 404 : 405, "not routed");
    if (path == "/simple") return moved(std::string{simple});
    if (path == simple) return root_page(request, stale);
    if (path.starts_with("/integrity/")) return provenance(request);
    if (path.starts_with("/packages/")) return moved(bases_.files + request.target);
    if (!path.starts_with(simple)) return not_found();
    auto name = path.substr(simple.size());
    if (!name.ends_with('/'))
        return index_.shown(normalized(name), stale) ? moved(path + "/") : not_found();
    name.pop_back();
    if (name.find('/') != std::string::npos) return not_found();
    return project_page(request, name, stale);
}

Response Site::last_modified() const {
    Response response;
    response.set("Content-Type", "text/plain");
    response.set_body(last_modified_text(index_.now_us()));
    return response;
}

Response Site::legacy_page(const Request& request, bool stale) const {
    const auto& path = request.path;
    Response response;
    if (path == "/pypi" && request.method == "POST") {
        // Exactly that: a charset behind it, and the call is taken for a form.
        if (request.header("content-type") != "text/xml") return plain(400, "no XML-RPC");
        response.set("Content-Type", "text/xml");
        response.set_body(legacy_xmlrpc_answer(index_, request.body, stale));
        return response;
    }
    if (!is_read(request)) return plain(405, "not routed");
    if (path.starts_with("/packages/")) return legacy_file(request);
    if (path.starts_with(signatures)) return legacy_signature(request, stale);
    if (path == "/serverkey") {
        if (!key_) return not_found();
        response.set("Content-Type", "text/plain");
        response.set_body(public_key_pem(*key_));
        return response;
    }
    if (path != simple) {
        if (!path.starts_with(simple)) return not_found();
        auto name = path.substr(simple.size());
        if (name.ends_with('/')) name.pop_back();
        const Project* project = index_.shown(normalized(name), stale);
        if (project == nullptr) return not_found();
        const auto right = std::string{simple} + project->display + "/";
        if (path != right) return moved(right);
        response.set_body(legacy_project_html(*project));
    } else {
        response.set_body(legacy_root_html(index_.list(true, stale)));
    }
    response.set("Content-Type", "text/html; charset=utf-8");
    return finished_page(std::move(response), request);
}

// The form without a slash leads to the other, and another spelling leads to the page, as PyPI had
// it from 2010 on.
Response Site::legacy_signature(const Request& request, bool stale) const {
    const auto& path = request.path;
    if (!key_) return not_found();
    if (!path.ends_with('/')) return moved(path + "/");
    const auto name = path.substr(signatures.size(), path.size() - signatures.size() - 1);
    const Project* project = index_.shown(normalized(name), stale);
    if (project == nullptr) return not_found();
    if (project->display != name) return moved(std::string{simple} + project->display + "/");
    Response response;
    response.set("Content-Type", "application/octet-stream");
    response.set_body(signature_of(legacy_project_html(*project), *key_));
    return response;
}

// Those of that time knew If-None-Match (PEP 381, "Mirror protocol").
Response Site::legacy_file(const Request& request) const {
    const auto blob = legacy_blob(index_, request.path);
    if (blob == nullptr) return not_found();
    const auto etag = "\"" + blob->digests().md5 + "\"";
    Response response;
    response.set("Content-Type", "application/octet-stream");
    response.set("ETag", etag);
    if (request.header("if-none-match") == etag) {
        response.status = 304;
        return response;
    }
    response.set_body(blob->bytes());
    return finished_file(std::move(response), request);
}

Response Site::file(const Request& request) const {
    if (!is_read(request)) return plain(405, "405 Method Not Allowed");
    const bool wants_companion = request.path.ends_with(companion);
    const auto path = wants_companion
                          ? request.path.substr(0, request.path.size() - companion.size())
                          : request.path;
    const auto blob = locked([&] { return index_.blob(path); });
    if (blob == nullptr || (wants_companion && !blob->is_wheel())) return not_found();
    const auto& digests = blob->digests();
    Response response;
    response.set("Content-Type", "application/octet-stream");
    response.set("Cache-Control", "max-age=365000000, immutable, public");
    response.set(
        "ETag",
        "\"" + (wants_companion ? digests.metadata_sha256 : digests.sha256).substr(0, 32) + "\"");
    response.set("Last-Modified", http_time(blob->time()));
    response.set_body(wants_companion ? blob->metadata() : blob->bytes());
    return finished_file(std::move(response), request);
}

std::optional<Response> Site::raw_answer(const std::string& path) const {
    const auto found = raw_.find(path);
    if (found == raw_.end()) return {};
    Response response;
    response.status = found->second.status;
    if (!found->second.type.empty()) response.set("Content-Type", found->second.type);
    for (const auto& [name, value] : found->second.headers) response.set(name, value);
    response.set_body(found->second.body);
    return response;
}

void Site::count(const Request& request, const std::string& what, const Response& response) {
    const auto& body = *response.body;
    const std::lock_guard guard{mutex_};
    ++requests_.total;
    if (request.method != "HEAD" && !response.hang)
        requests_.bytes += static_cast<std::int64_t>(
            std::min<std::uint64_t>(body.size(), response.cut_after.value_or(body.size())));
    const auto key = request.method + " " + what;
    if (requests_.counts.size() < most_counters || requests_.counts.contains(key))
        ++requests_.counts[key];
}

Response Site::with_faults(const Request& request,
                           const std::function<Response(bool stale)>& good) {
    const auto method = request.method == "POST" ? method_of(request.body) : "";
    const auto fault = locked([&] { return faults_.take(request.target, method); });
    auto response = locked([&] { return raw_answer(request.path); });
    if (!response) response = good(fault && fault->kind == "stale");
    if (fault) response = spoiled(*std::move(response), *fault);
    count(request, method.empty() ? request.path : method, *response);
    return *std::move(response);
}

Response Site::index_answer(const Request& request) {
    return with_faults(request,
                       [&](bool stale) { return locked([&] { return page(request, stale); }); });
}

Response Site::file_answer(const Request& request) {
    return with_faults(request, [&](bool) { return file(request); });
}

}  // namespace sample
