#include "pep381d/master/page_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "pep381d/base/log.h"
#include "pep381d/master/json_slices.h"
#include "pep381d/master/page_link.h"

namespace pep381d {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// A page longer than this gets buffers of its own, which are freed again: simdjson takes many times
// the page's size.
constexpr std::size_t kept_page = 1024 * 1024;

Failure corrupt(std::string what) {
    return Failure{Fault::corrupt, std::move(what)};
}

// A JSON document as values, and as compact text to take raw members from.
class Document {
  public:
    simdjson::error_code parse(std::string_view json) {
        if (const auto error = parser_.parse(json.data(), json.size()).get(root_)) return error;
        // Only now: minifying makes valid JSON of `1 2`. It writes in whole vectors.
        text_.resize(json.size() + simdjson::SIMDJSON_PADDING);
        std::size_t size = 0;
        if (const auto error = simdjson::minify(json.data(), json.size(), text_.data(), size))
            return error;
        text_.resize(size);
        return simdjson::SUCCESS;
    }
    element root() const { return root_; }
    std::string_view text() const { return text_; }

  private:
    simdjson::dom::parser parser_;
    element root_;
    std::string text_;
};

struct Member {
    std::string_view key;
    element value;
    std::string_view text;        // `"key":value` as it came
    std::string_view value_text;  // the value alone
};
using Members = std::vector<Member>;

// Of members of the same name the last one counts; the others are dropped, because clients do not
// agree on them.
Members members_of(simdjson::dom::object object, std::string_view text) {
    Members members;
    JsonSlices slices(text);
    for (const auto field : object) {
        slices.next();
        members.push_back({field.key, field.value, slices.text(), slices.value()});
    }
    std::set<std::string_view> seen;
    std::vector<bool> last(members.size());
    for (std::size_t i = members.size(); i-- > 0;) last[i] = seen.insert(members[i].key).second;
    std::size_t i = 0;
    std::erase_if(members, [&](const Member&) { return !last[i++]; });
    return members;
}

const Member* find(const Members& members, std::string_view key) {
    for (const Member& member : members)
        if (member.key == key) return &member;
    return nullptr;
}

std::optional<std::string_view> string_of(const Member* member) {
    std::string_view text;
    if (member == nullptr || member->value.get(text) != simdjson::SUCCESS) return std::nullopt;
    return text;
}

bool is_null(const Member& member) {
    return member.value.is_null();
}

void append(std::string& members, std::string_view text) {
    if (!members.empty()) members += ',';
    members += text;
}

void append_object(std::string& members, std::string_view key, const Members& inner) {
    std::string text = fmt::format("\"{}\":{{", key);
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (i > 0) text += ',';
        text += inner[i].text;
    }
    append(members, text + '}');
}

// Each of these takes a member into the file: its value and the text to repeat, which is left out
// or put right where it would break a client. They give what is wrong where the file cannot be
// mirrored, else null.

const char* take_hashes(File& file, const Member& member) {
    simdjson::dom::object object;
    if (member.value.get(object) != simdjson::SUCCESS) return "hashes is no object";
    const Members hashes = members_of(object, member.value_text);
    for (const Member& hash : hashes) {
        const auto hex = string_of(&hash);
        if (!hex) return "a hash is no string";
        const auto algorithm = algorithm_named(hash.key);
        auto bytes = from_hex(*hex);
        if (!algorithm) continue;
        if (!bytes || bytes->size() != digest_size(*algorithm)) return "a hash has not its length";
        file.digests.push_back({*algorithm, std::move(*bytes)});
    }
    // A master may offer none (PEP 503); what it offers and we cannot check is another matter.
    if (!hashes.empty() && file.digests.empty()) return "none of its hashes can be checked here";
    std::sort(file.digests.begin(), file.digests.end(),
              [](const Digest& a, const Digest& b) { return a.algorithm > b.algorithm; });
    append_object(file.members, "hashes", hashes);
    return nullptr;
}

const char* take_size(File& file, const Member& member) {
    if (is_null(member)) return nullptr;  // uv refuses a page with "size":null
    std::int64_t size = 0;
    if (member.value.get(size) != simdjson::SUCCESS || size < 0)
        return "size is no non-negative integer";
    file.size = size;
    append(file.members, member.text);
    return nullptr;
}

const char* take_requires_python(File& file, const Member& member) {
    if (const auto text = string_of(&member)) file.requires_python = *text;
    if (file.requires_python || is_null(member)) append(file.members, member.text);
    return nullptr;
}

// PEP 592 and 691 know a boolean or a reason. Null breaks uv, "" is yanked for uv and not for pip.
// Whatever else says something about yanking counts as yanked: such a file can still be had, by its
// exact version.
const char* take_yanked(File& file, const Member& member) {
    if (is_null(member)) return nullptr;
    file.yanked = true;
    bool flag = false;
    const auto reason = string_of(&member);
    if (reason) file.yanked_reason = *reason;
    const bool is_flag = member.value.get(flag) == simdjson::SUCCESS;
    if (is_flag) file.yanked = flag;
    append(file.members,
           is_flag || (reason && !reason->empty()) ? member.text : R"("yanked":true)");
    return nullptr;
}

const char* take_upload_time(File& file, const Member& member) {
    if (const auto text = string_of(&member)) file.upload_time = parse_upload_time(*text);
    if (file.upload_time) append(file.members, member.text);
    return nullptr;
}

const char* take_provenance(File& file, const Member& member) {
    const auto url = string_of(&member);
    if (url && (url->starts_with("https://") || url->starts_with("http://")))
        file.provenance = *url;
    if (file.provenance || is_null(member)) append(file.members, member.text);
    return nullptr;
}

// Written from the file's own values, or (dist-info-metadata, PEP 714) never written in JSON.
const char* leave_out(File&, const Member&) {
    return nullptr;
}

struct Taker {
    std::string_view key;
    const char* (*take)(File&, const Member&);
};
constexpr std::array<Taker, 11> takers{{{"filename", leave_out},
                                        {"url", leave_out},
                                        {"core-metadata", leave_out},
                                        {"dist-info-metadata", leave_out},
                                        {"data-dist-info-metadata", leave_out},
                                        {"hashes", take_hashes},
                                        {"size", take_size},
                                        {"requires-python", take_requires_python},
                                        {"yanked", take_yanked},
                                        {"upload-time", take_upload_time},
                                        {"provenance", take_provenance}}};

// PEP 714: the new name wins where both are there; PyPI's name in JSON was
// `data-dist-info-metadata` by mistake.
CoreMetadata core_metadata_of(const Members& members) {
    for (const char* key : {"core-metadata", "dist-info-metadata", "data-dist-info-metadata"}) {
        const Member* member = find(members, key);
        if (member == nullptr || is_null(*member)) continue;
        CoreMetadata metadata;
        bool flag = false;
        simdjson::dom::object hashes;
        if (member->value.get(flag) == simdjson::SUCCESS) metadata.offered = flag;
        if (member->value.get(hashes) != simdjson::SUCCESS) return metadata;
        const Members inner = members_of(hashes, member->value_text);
        const auto bytes = from_hex(string_of(find(inner, "sha256")).value_or(""));
        // A hash that cannot be checked offers nothing: clients then read the wheel itself.
        metadata.offered = bytes && bytes->size() == digest_size(Algorithm::sha256);
        if (metadata.offered) metadata.sha256 = *bytes;
        return metadata;
    }
    return {};
}

Outcome<File> read_file(const Members& members, const PageLink& link) {
    const auto name = FileName::parse(string_of(find(members, "filename")).value_or(""));
    if (!name) return corrupt("the file name is missing or not legal");
    const auto url = string_of(find(members, "url"));
    if (!url) return corrupt("it has no URL");
    Outcome<std::string> absolute = link.resolve(*url);
    if (!absolute) return absolute.failure();
    File file{*name, std::move(absolute).value(), {}, {}, {}, {}, false, {}, {}, {}, {}, {}, false,
              false};
    if (find(members, "hashes") == nullptr)
        file.members = R"("hashes":{})";  // PEP 691: must be there
    for (const Member& member : members) {
        const auto* taker = std::find_if(takers.begin(), takers.end(),
                                         [&](const Taker& t) { return t.key == member.key; });
        if (taker == takers.end())
            append(file.members, member.text);
        else if (const char* wrong = taker->take(file, member))
            return corrupt(wrong);
    }
    file.core_metadata = core_metadata_of(members);
    std::string usual;
    append_usual_members(usual, file);
    if (file.members == usual) file.members = std::string();
    return file;
}

void read_files(simdjson::dom::array files, std::string_view text, const PageLink& link,
                ReadPage& read) {
    std::set<std::string_view> names;
    JsonSlices slices(text);
    for (const element entry : files) {
        slices.next();
        simdjson::dom::object object;
        if (entry.get(object) != simdjson::SUCCESS) {
            read.skipped.push_back({"", "an entry of files is no object"});
            continue;
        }
        const Members members = members_of(object, slices.text());
        const std::string_view name = string_of(find(members, "filename")).value_or("");
        Outcome<File> file = read_file(members, link);
        if (!file)
            read.skipped.push_back({std::string(name), file.failure().what});
        else if (!names.insert(name).second)
            read.skipped.push_back({std::string(name), "the page names the file twice"});
        else
            read.page.files.push_back(std::move(file).value());
    }
}

// As an integer, or as the string that mirrors made with bandersnatch write.
Serial serial_of(const Member& member) {
    std::int64_t value = 0;
    if (member.value.get(value) != simdjson::SUCCESS) {
        const std::string_view text = string_of(&member).value_or("");
        if (std::from_chars(text.data(), text.data() + text.size(), value).ptr !=
            text.data() + text.size())
            value = 0;
    }
    return Serial{std::max<std::int64_t>(value, 0)};
}

std::optional<Failure> read_meta(const Members& top, ProjectPage& page) {
    const Member* meta = find(top, "meta");
    simdjson::dom::object object;
    Members members;
    if (meta != nullptr) {
        if (meta->value.get(object) != simdjson::SUCCESS) return corrupt("meta is no object");
        members = members_of(object, meta->value_text);
    }
    const Member* version = find(members, "api-version");
    if (version == nullptr)
        page.meta_members = R"("api-version":"1.0")";
    else if (const auto text = string_of(version);
             !text || (*text != "1" && !text->starts_with("1.")))
        return corrupt(fmt::format("its api-version is {}; only 1.x can be read (PEP 629)",
                                   quoted(version->value_text)));
    for (const Member& member : members)
        if (member.key == "_last-serial")
            page.serial = serial_of(member);
        else
            append(page.meta_members, member.text);
    return std::nullopt;
}

void read_status(const Member& member, ProjectPage& page) {
    simdjson::dom::object object;
    if (member.value.get(object) != simdjson::SUCCESS) return;
    const Members members = members_of(object, member.value_text);
    page.status.status = string_of(find(members, "status")).value_or("");
    page.status.reason = string_of(find(members, "reason")).value_or("");
    append_object(page.members, "project-status", members);
}

Outcome<ReadPage> read_document(const Document& document, const PageLink& link,
                                const ProjectName& expected) {
    simdjson::dom::object object;
    if (document.root().get(object) != simdjson::SUCCESS) return corrupt("the JSON is no object");
    const Members top = members_of(object, document.text());
    const auto name = string_of(find(top, "name"));
    if (!name || ProjectName::parse(*name) != expected)
        return corrupt(fmt::format("it is the page of {}, not of {}", quoted(name.value_or("?")),
                                   expected.text()));
    const Member* files = find(top, "files");
    simdjson::dom::array array;
    if (files == nullptr || files->value.get(array) != simdjson::SUCCESS)
        return corrupt("it has no list of files");

    ReadPage read{ProjectPage{expected, {}, {}, {}, {}, {}}, {}};
    if (auto failure = read_meta(top, read.page)) return std::move(*failure);
    for (const Member& member : top) {
        if (member.key == "project-status")
            read_status(member, read.page);
        else if (member.key != "meta" && member.key != "name" && member.key != "files")
            append(read.page.members, member.text);
    }
    read_files(array, files->value_text, link, read);
    return read;
}

}  // namespace

Outcome<ReadPage> read_page_json(std::string_view json, const std::string& base,
                                 const ProjectName& expected) {
    const auto failed = [&](std::string_view cause) {
        return corrupt(fmt::format("the page {} cannot be read: {}", display_url(base), cause));
    };
    const auto link = PageLink::relative_to(base);
    if (!link) return failed("this is no http(s) URL");

    // Versions of simdjson differ in whether they take a byte order mark.
    if (json.starts_with("\xef\xbb\xbf")) json.remove_prefix(3);
    thread_local Document kept;
    Document once;
    Document& document = json.size() <= kept_page ? kept : once;
    if (const auto error = document.parse(json)) {
        const bool html = json.substr(0, 1) == "<";
        return failed(html ? "HTML or XML came, not JSON" : simdjson::error_message(error));
    }
    Outcome<ReadPage> read = read_document(document, *link, expected);
    if (!read) return failed(read.failure().what);
    return read;
}

}  // namespace pep381d
