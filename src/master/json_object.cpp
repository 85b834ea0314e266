#include "master/json_object.h"

#include <algorithm>
#include <new>
#include <set>

#include <simdjson.h>

#include "master/json_stand_in.h"

namespace pep381d {

namespace {

using simdjson::dom::element;
using Kind = JsonMember::Kind;

constexpr std::size_t usual_size = 16 * 1024;
// Of a value inside of a container; its members take many times as much memory.
constexpr std::size_t longest_value = 1 << 20;
constexpr const char* too_long = "an entry of a list has more than 1 MiB, or no end";

bool any_key_twice(JsonMembers members) {
    for (std::size_t i = 1; i < members.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (members[i].key == members[j].key) return true;
    return false;
}

// Looks at the members from `first` on.
void drop_overruled(std::vector<JsonMember>& members, std::size_t first) {
    constexpr std::size_t few = 20;
    const JsonMembers added = JsonMembers(members).subspan(first);
    if (added.size() <= few && !any_key_twice(added)) return;
    std::set<std::string_view> seen;
    std::vector<bool> last(members.size(), true);
    for (std::size_t i = members.size(); i-- > first;) last[i] = seen.insert(members[i].key).second;
    std::size_t i = 0;
    std::erase_if(members, [&](const JsonMember&) { return !last[i++]; });
}

std::size_t cut(std::string_view text, std::vector<JsonMember>& members, bool& spaced) {
    JsonSlices slices(text);
    while (slices.next()) {
        members.emplace_back();
        members.back().text = slices.text();
        members.back().value = slices.value();
    }
    spaced = slices.spaced();
    return slices.size();
}

void set_value(JsonMember& member, const element& value) {
    bool flag = false;
    if (value.is_null()) {
        member.kind = Kind::null;
    } else if (value.get(member.string) == simdjson::SUCCESS) {
        member.kind = Kind::string;
    } else if (value.get(member.number) == simdjson::SUCCESS) {
        member.kind = Kind::integer;
    } else if (value.get(flag) == simdjson::SUCCESS) {
        member.kind = Kind::boolean;
        member.number = flag ? 1 : 0;
    } else if (value.is_object()) {
        member.kind = Kind::object;
    }
}

}  // namespace

struct JsonObject::Parser {
    simdjson::dom::parser simdjson;
    element root;
};

const JsonMember* find(JsonMembers members, std::string_view key) {
    for (const JsonMember& member : members)
        if (member.key == key) return &member;
    return nullptr;
}

JsonObject::JsonObject(std::size_t depth) : parser_(std::make_unique<Parser>()) {
    if (parser_->simdjson.allocate(usual_size, simdjson::DEFAULT_MAX_DEPTH - depth) !=
        simdjson::SUCCESS)
        throw std::bad_alloc();
}
JsonObject::~JsonObject() = default;

const char* JsonObject::read(std::string_view text) {
    bool spaced = false;
    members_.clear();
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.starts_with('{')) cut(text, members_, spaced);
    return take(text, spaced);
}

const char* JsonObject::read(JsonSlices& at) {
    bool spaced = false;
    members_.clear();
    if (at.rest().starts_with('{')) {
        const std::size_t size = cut(at.rest().substr(0, longest_value), members_, spaced);
        if (size == 0)
            return at.rest().size() > longest_value ? too_long
                                                    : simdjson::error_message(simdjson::TAPE_ERROR);
        at.value_has(size);
    }
    if (at.value().size() > longest_value) return too_long;
    return take(at.value(), spaced);
}

// `members_`: cut from the text.
const char* JsonObject::take(std::string_view text, bool spaced) {
    is_object_ = false;
    auto error = parser_->simdjson.parse(text.data(), text.size()).get(parser_->root);
    if (error)
        if (const auto other = with_stand_ins(text))
            error = parser_->simdjson.parse(*other).get(parser_->root);
    if (!error && spaced) {
        // It writes in whole vectors.
        compact_.resize(text.size() + simdjson::SIMDJSON_PADDING);
        std::size_t size = 0;
        error = simdjson::minify(text.data(), text.size(), compact_.data(), size);
        members_.clear();
        cut(std::string_view(compact_).substr(0, size), members_, spaced);
    }
    if (error) return simdjson::error_message(error);
    is_object_ = parser_->root.is_object();
    if (is_object_) take_members();
    return nullptr;
}

void JsonObject::take_members() {
    inner_.clear();
    bool spaced = false;
    std::size_t i = 0;
    for (const auto field : simdjson::dom::object(parser_->root)) {
        JsonMember& member = members_.at(i++);
        member.key = field.key;
        set_value(member, field.value);
        member.first_inner = inner_.size();
        if (member.kind != Kind::object) continue;
        cut(member.value, inner_, spaced);
        std::size_t j = member.first_inner;
        for (const auto inner : simdjson::dom::object(field.value)) {
            inner_.at(j).key = inner.key;
            set_value(inner_[j++], inner.value);
        }
        drop_overruled(inner_, member.first_inner);
    }
    for (i = 0; i < members_.size(); ++i) {
        const std::size_t end =
            i + 1 < members_.size() ? members_[i + 1].first_inner : inner_.size();
        const std::size_t first = members_[i].first_inner;
        members_[i].inner = JsonMembers(inner_).subspan(first, end - first);
    }
    drop_overruled(members_, 0);
}

}  // namespace pep381d
