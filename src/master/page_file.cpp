#include "master/page_file.h"

#include <algorithm>
#include <array>

namespace pep381d {

namespace {

using Kind = JsonMember::Kind;

Failure corrupt(std::string what) {
    return Failure{Fault::corrupt, std::move(what)};
}

// Each of these takes a member into the file: its value and the text to repeat, which is left out
// or put right where it would break a client. They give what is wrong where the file cannot be
// mirrored, else null.

const char* take_hash(File& file, const JsonMember& hash) {
    if (hash.kind != Kind::string) return "a hash is no string";
    const auto algorithm = algorithm_named(hash.key);
    if (!algorithm) return nullptr;
    const auto bytes = digest_from_hex(hash.string, digest_size(*algorithm));
    if (!bytes) return "a hash has not its length";
    file.digests.push_back({*algorithm, *bytes});
    return nullptr;
}

const char* take_hashes(File& file, const JsonMember& member) {
    if (member.kind != Kind::object) return "hashes is no object";
    for (const JsonMember& hash : member.inner)
        if (const char* wrong = take_hash(file, hash)) return wrong;
    // A master may offer none (PEP 503); what it offers and we cannot check is another matter.
    if (!member.inner.empty() && file.digests.empty())
        return "none of its hashes can be checked here";
    std::sort(file.digests.begin(), file.digests.end(),
              [](const Digest& a, const Digest& b) { return a.algorithm > b.algorithm; });
    append_object(file.members, "hashes", member.inner);
    return nullptr;
}

const char* take_size(File& file, const JsonMember& member) {
    if (member.kind == Kind::null) return nullptr;  // uv refuses a page with "size":null
    if (member.kind != Kind::integer || member.number < 0) return "size is no non-negative integer";
    file.size = member.number;
    append_member(file.members, member.text);
    return nullptr;
}

const char* take_requires_python(File& file, const JsonMember& member) {
    if (const auto text = string_of(&member)) file.requires_python = *text;
    if (file.requires_python || member.kind == Kind::null) append_member(file.members, member.text);
    return nullptr;
}

// PEP 592 and 691 know a boolean or a reason. Null breaks uv, "" is yanked for uv and not for pip.
// Whatever else says something about yanking counts as yanked: such a file can still be had, by its
// exact version.
const char* take_yanked(File& file, const JsonMember& member) {
    if (member.kind == Kind::null) return nullptr;
    file.yanked = true;
    const auto reason = string_of(&member);
    if (reason) file.yanked_reason = *reason;
    const bool is_flag = member.kind == Kind::boolean;
    if (is_flag) file.yanked = member.number != 0;
    append_member(file.members,
                  is_flag || (reason && !reason->empty()) ? member.text : R"("yanked":true)");
    return nullptr;
}

const char* take_upload_time(File& file, const JsonMember& member) {
    if (const auto text = string_of(&member)) file.upload_time = parse_upload_time(*text);
    if (file.upload_time) append_member(file.members, member.text);
    return nullptr;
}

const char* take_provenance(File& file, const JsonMember& member) {
    const auto url = string_of(&member);
    if (url && (url->starts_with("https://") || url->starts_with("http://")))
        file.provenance = *url;
    if (file.provenance || member.kind == Kind::null) append_member(file.members, member.text);
    return nullptr;
}

// Written from the file's own values, or (dist-info-metadata, PEP 714) never written in JSON.
const char* leave_out(File&, const JsonMember&) {
    return nullptr;
}

struct Taker {
    std::string_view key;
    const char* (*take)(File&, const JsonMember&);
};
// In PyPI's order, so that each is found at once.
constexpr std::array<Taker, 11> takers{{{"core-metadata", leave_out},
                                        {"data-dist-info-metadata", leave_out},
                                        {"filename", leave_out},
                                        {"hashes", take_hashes},
                                        {"provenance", take_provenance},
                                        {"requires-python", take_requires_python},
                                        {"size", take_size},
                                        {"upload-time", take_upload_time},
                                        {"url", leave_out},
                                        {"yanked", take_yanked},
                                        {"dist-info-metadata", leave_out}}};

// Looks from `next` on, which is then behind it.
const Taker* taker_of(std::string_view key, std::size_t& next) {
    for (std::size_t i = 0; i < takers.size(); ++i) {
        const Taker& taker = takers[(next + i) % takers.size()];
        if (taker.key != key) continue;
        next = (next + i + 1) % takers.size();
        return &taker;
    }
    return nullptr;
}

// PEP 714: the new name wins where both are there; PyPI's name in JSON was
// `data-dist-info-metadata` by mistake.
CoreMetadata core_metadata_of(JsonMembers members) {
    for (const char* key : {"core-metadata", "dist-info-metadata", "data-dist-info-metadata"}) {
        const JsonMember* member = find(members, key);
        if (member == nullptr || member->kind == Kind::null) continue;
        CoreMetadata metadata;
        if (member->kind == Kind::boolean) metadata.offered = member->number != 0;
        if (member->kind != Kind::object) return metadata;
        const auto bytes = digest_from_hex(string_of(find(member->inner, "sha256")).value_or(""),
                                           digest_size(Algorithm::sha256));
        // A hash that cannot be checked offers nothing: clients then read the wheel itself.
        metadata.offered = bytes.has_value();
        if (bytes) metadata.sha256 = *bytes;
        return metadata;
    }
    return {};
}

}  // namespace

void append_member(std::string& members, std::string_view text) {
    if (!members.empty()) members += ',';
    members += text;
}

void append_object(std::string& members, std::string_view key, JsonMembers inner) {
    append_member(members, "\"");
    members += key;
    members += "\":{";
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (i > 0) members += ',';
        members += inner[i].text;
    }
    members += '}';
}

std::optional<std::string_view> string_of(const JsonMember* member) {
    if (member == nullptr || member->kind != JsonMember::Kind::string) return std::nullopt;
    return member->string;
}

Outcome<File> FileReader::read(JsonMembers members, PageLink& link) {
    auto name = FileName::parse(string_of(find(members, "filename")).value_or(""));
    if (!name) return corrupt("the file name is missing or not legal");
    const auto url = string_of(find(members, "url"));
    if (!url) return corrupt("it has no URL");
    Outcome<std::string> absolute = link.resolve(*url);
    if (!absolute) return std::move(absolute).failure();
    File file{.name = std::move(*name), .url = std::move(absolute).value()};
    // Nearly always these are the usual ones, which are not kept: no memory of their own.
    file.members.swap(written_);
    file.members.clear();
    if (find(members, "hashes") == nullptr)
        file.members = R"("hashes":{})";  // PEP 691: must be there
    std::size_t next = 0;
    for (const JsonMember& member : members) {
        const Taker* taker = taker_of(member.key, next);
        if (taker == nullptr)
            append_member(file.members, member.text);
        else if (const char* wrong = taker->take(file, member))
            return corrupt(wrong);
    }
    file.core_metadata = core_metadata_of(members);
    file.members.swap(written_);
    usual_.clear();
    append_usual_members(usual_, file);
    if (written_ != usual_) file.members = written_;
    return file;
}

}  // namespace pep381d
