// A JSON object: its members as values and as the text in which they came, and the members of those
// that are objects. Further down there is only text. Used again and again, it asks for no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pep381d/master/json_slices.h"

namespace pep381d {

struct JsonMember {
    enum class Kind { null, boolean, integer, string, object, other };

    std::string_view text;   // `"key":value` as it came, but without blanks between its tokens
    std::string_view value;  // the value alone
    std::string_view key;
    Kind kind = Kind::other;
    std::int64_t number = 0;  // of an integer (of 64 bits) or a boolean
    std::string_view string;
    std::span<const JsonMember> inner;  // of an object
    std::size_t first_inner = 0;
};
using JsonMembers = std::span<const JsonMember>;

const JsonMember* find(JsonMembers members, std::string_view key);

class JsonObject {
  public:
    // `depth`: of the containers that it lies in, which count for how deep it may go.
    explicit JsonObject(std::size_t depth);
    ~JsonObject();

    // Each of these gives what is wrong where the text is no JSON; null where it is. The text must
    // stay as long as the members are used.
    const char* read(std::string_view text);
    const char* read(JsonSlices& at);  // the value that it stands at

    bool is_object() const { return is_object_; }
    // Of members of the same name the last one; the others are dropped, because clients do not
    // agree on them. None where it is no object.
    JsonMembers members() const { return members_; }

  private:
    struct Parser;
    const char* take(std::string_view text, bool spaced);
    void take_members();

    std::unique_ptr<Parser> parser_;
    std::vector<JsonMember> members_;
    std::vector<JsonMember> inner_;
    std::string compact_;
    bool is_object_ = false;
};

}  // namespace pep381d
