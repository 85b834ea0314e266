#include "pep381d/master/page_json.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "pep381d/base/log.h"
#include "pep381d/master/json_slices.h"
#include "pep381d/master/page_link.h"

#include "master/json_object.h"
#include "master/page_file.h"

namespace pep381d {

namespace {

using Kind = JsonMember::Kind;

// A page longer than this gets buffers of its own, which are freed again.
constexpr std::size_t kept_page = 1024 * 1024;
// A usual entry of `files` is longer, so that a page's files seldom take more memory than its text.
constexpr std::size_t short_entry = 512;

// A page may have 48 MB and an entry three bytes: what a page makes of memory is bounded by these.
// The largest of PyPI has 40,000 files.
constexpr std::size_t most_files = 250'000;
constexpr std::size_t most_outline = 8 << 20;  // bytes
constexpr std::size_t most_skipped = 100;      // that are told one by one

Failure corrupt(std::string what) {
    return Failure{Fault::corrupt, std::move(what)};
}

// What reading a page needs beside the page; kept from one to the next.
struct Reader {
    JsonObject outline{0};
    JsonObject entry{2};  // inside the list inside the page
    FileReader file;
};

// `text` begins with the list, `size` becomes the list's. `names`: where given, files are left out
// whose names it has already. What is wrong with the JSON, if anything.
const char* read_list(std::string_view text, PageLink& link, Reader& reader,
                      std::set<std::string>* names, ReadPage& read, std::size_t& size) {
    read.page.files.clear();
    read.skipped.clear();
    std::size_t more_skipped = 0;
    const auto skip = [&](std::string_view name, std::string cause) {
        if (read.skipped.size() < most_skipped)
            read.skipped.push_back({std::string(name.substr(0, 1000)), std::move(cause)});
        else
            ++more_skipped;
    };
    JsonSlices list(text);
    while (list.next()) {
        if (const char* wrong = reader.entry.read(list)) return wrong;
        if (!reader.entry.is_object()) {
            skip("", "an entry of files is no object");
            continue;
        }
        if (read.page.files.empty())
            read.page.files.reserve(
                list.rest().size() / std::max(list.value().size(), short_entry) + 1);
        const auto name = [&] {
            return string_of(find(reader.entry.members(), "filename")).value_or("");
        };
        Outcome<File> file = reader.file.read(reader.entry.members(), link);
        if (!file)
            skip(name(), std::move(file).failure().what);
        else if (names != nullptr && !names->emplace(name()).second)
            skip(name(), "the page names the file twice");
        else if (read.page.files.size() == most_files)
            return "it has more than 250,000 files";
        else
            read.page.files.push_back(std::move(file).value());
    }
    if (more_skipped > 0)
        read.skipped.push_back(
            {"", fmt::format("{} more entries cannot be mirrored", more_skipped)});
    size = list.size();
    return size == 0 ? "the list of files has no end" : nullptr;
}

const char* read_files(std::string_view text, PageLink& link, Reader& reader, ReadPage& read,
                       std::size_t& size) {
    const char* wrong = read_list(text, link, reader, nullptr, read, size);
    if (wrong != nullptr || !names_may_repeat(read.page.files)) return wrong;
    std::set<std::string> names;
    return read_list(text, link, reader, &names, read, size);
}

bool is_files(std::string_view key, JsonObject& object) {
    if (key.find('\\') == std::string_view::npos) return key == R"("files")";
    const std::string text = "{" + std::string(key) + ":0}";
    return object.read(text) == nullptr && find(object.members(), "files") != nullptr;
}

// Reads the files where they stand, one at a time, and gives the page without them: the values of a
// page of 15 MB would take some 50 MB more. What is wrong with the JSON, if anything.
const char* read_files_of(std::string_view json, PageLink& link, Reader& reader, ReadPage& read,
                          std::string& outline) {
    std::size_t copied = 0;
    JsonSlices top(json.substr(std::min(json.find_first_not_of(" \t\r\n"), json.size())));
    while (top.next()) {
        if (!top.rest().starts_with('[') || !is_files(top.key(), reader.outline)) continue;
        const std::size_t at = json.size() - top.rest().size();
        std::size_t size = 0;
        if (const char* wrong = read_files(top.rest(), link, reader, read, size)) return wrong;
        top.value_has(size);
        outline += json.substr(copied, at - copied);
        outline += "[]";
        copied = at + size;
    }
    outline += json.substr(copied);
    return nullptr;
}

// As an integer, or as the string that mirrors made with bandersnatch write.
Serial serial_of(const JsonMember& member) {
    std::int64_t value = 0;
    if (member.kind == Kind::integer) {
        value = member.number;
    } else {
        const std::string_view text = string_of(&member).value_or("");
        if (std::from_chars(text.data(), text.data() + text.size(), value).ptr !=
            text.data() + text.size())
            value = 0;
    }
    return Serial{std::max<std::int64_t>(value, 0)};
}

std::optional<Failure> read_meta(JsonMembers top, ProjectPage& page) {
    const JsonMember* meta = find(top, "meta");
    if (meta != nullptr && meta->kind != Kind::object) return corrupt("meta is no object");
    const JsonMembers members = meta == nullptr ? JsonMembers() : meta->inner;
    const JsonMember* version = find(members, "api-version");
    if (version == nullptr)
        page.meta_members = R"("api-version":"1.0")";
    else if (const auto text = string_of(version);
             !text || (*text != "1" && !text->starts_with("1.")))
        return corrupt(fmt::format("its api-version is {}; only 1.x can be read (PEP 629)",
                                   quoted(version->value)));
    for (const JsonMember& member : members)
        if (member.key == "_last-serial")
            page.serial = serial_of(member);
        else
            append_member(page.meta_members, member.text);
    return std::nullopt;
}

void read_status(const JsonMember& member, ProjectPage& page) {
    if (member.kind != Kind::object) return;
    page.status.status = string_of(find(member.inner, "status")).value_or("");
    page.status.reason = string_of(find(member.inner, "reason")).value_or("");
    append_object(page.members, "project-status", member.inner);
}

// What is wrong with it, if anything.
std::optional<Failure> read_outline(const JsonObject& outline, ProjectPage& page) {
    if (!outline.is_object()) return corrupt("the JSON is no object");
    const JsonMembers top = outline.members();
    const auto name = string_of(find(top, "name"));
    if (!name || ProjectName::parse(*name) != page.name)
        return corrupt(fmt::format("it is the page of {}, not of {}", quoted(name.value_or("?")),
                                   page.name.text()));
    const JsonMember* files = find(top, "files");
    if (files == nullptr || !files->value.starts_with('['))
        return corrupt("it has no list of files");

    if (auto failure = read_meta(top, page)) return failure;
    for (const JsonMember& member : top) {
        if (member.key == "project-status")
            read_status(member, page);
        else if (member.key != "meta" && member.key != "name" && member.key != "files")
            append_member(page.members, member.text);
    }
    return std::nullopt;
}

}  // namespace

Outcome<ReadPage> read_page_json(std::string_view json, const std::string& base,
                                 const ProjectName& expected) {
    const auto failed = [&](std::string_view cause) {
        return corrupt(fmt::format("the page {} cannot be read: {}", display_url(base), cause));
    };
    auto link = PageLink::relative_to(base);
    if (!link) return failed("this is no http(s) URL");

    // Versions of simdjson differ in whether they take a byte order mark.
    if (json.starts_with("\xef\xbb\xbf")) json.remove_prefix(3);
    thread_local Reader kept;
    std::optional<Reader> own;
    Reader& reader = json.size() <= kept_page ? kept : own.emplace();
    ReadPage read{ProjectPage{expected, {}, {}, {}, {}, {}}, {}};
    std::string outline;
    const char* wrong = read_files_of(json, *link, reader, read, outline);
    if (wrong == nullptr && outline.size() > most_outline)
        wrong = "it has more than 8 MiB around its files";
    if (wrong == nullptr) wrong = reader.outline.read(outline);
    if (wrong != nullptr) {
        const bool html = json.substr(0, 1) == "<";
        return failed(html ? "HTML or XML came, not JSON" : wrong);
    }
    if (const auto failure = read_outline(reader.outline, read.page)) return failed(failure->what);
    return read;
}

}  // namespace pep381d
