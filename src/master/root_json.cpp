// The root index in JSON (PEP 691). The entries of `projects` are cut out of it as it arrives, each
// read by itself, and so is the rest around them at the end: memory holds one entry.
#include <fmt/format.h>

#include "pep381d/base/log.h"

#include "master/json_object.h"
#include "master/list_reader.h"

namespace pep381d {

namespace {

constexpr std::size_t longest_entry = 16 * 1024;
constexpr std::size_t longest_frame = 1024 * 1024;
constexpr int deepest = 100;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Serial serial_of(const JsonMember* member) {
    const bool number =
        member != nullptr && member->kind == JsonMember::Kind::integer && member->number > 0;
    return Serial{number ? member->number : 0};
}

std::string_view text_of(const JsonMember* member) {
    const bool text = member != nullptr && member->kind == JsonMember::Kind::string;
    return text ? member->string : std::string_view{};
}

class RootJson final : public NameList::Reader {
  public:
    explicit RootJson(NameList::Entry entry) : callback_(std::move(entry)) {}

    Done feed(std::string_view piece) override {
        for (const char c : piece) {
            if (wrong_ != nullptr) break;
            take(c);
        }
        if (wrong_ != nullptr) return corrupt(wrong_);
        return Nothing{};
    }

    Outcome<Serial> finish() override {
        if (wrong_ != nullptr) return corrupt(wrong_);
        if (depth_ != 0 || in_text_ || frame_.empty()) return corrupt("it was cut off");
        if (const char* wrong = object_.read(frame_)) return corrupt(wrong);
        if (!object_.is_object() || !listed_) return corrupt("it has no list of projects");
        const JsonMember* meta = find(object_.members(), "meta");
        const JsonMembers members = meta == nullptr ? JsonMembers() : meta->inner;
        const JsonMember* version = find(members, "api-version");
        const std::string_view text = version == nullptr ? "1.0" : text_of(version);
        if (text != "1" && !text.starts_with("1."))
            return corrupt(fmt::format("its api-version is {}; only 1.x can be read (PEP 629)",
                                       quoted(version->value.substr(0, 100))));
        return serial_of(find(members, "_last-serial"));
    }

  private:
    static Failure corrupt(std::string_view cause) {
        return {Fault::corrupt, fmt::format("the root index cannot be read: {}", cause)};
    }

    bool in_list() const { return list_depth_ != 0; }
    bool in_entry() const { return in_list() && depth_ > list_depth_; }

    void take(char c) {
        if (in_text_) {
            put(c);
            in_text_ = escaped_ || c != '"';
            escaped_ = !escaped_ && c == '\\';
            return;
        }
        if (is_blank(c)) return;  // between tokens: two of them stand side by side in no JSON
        if (in_list() && !in_entry()) {
            take_in_list(c);
            return;
        }
        if (c == '{' || c == '[') open(c);
        if (c == '}' || c == ']') {
            if (--depth_ < 0) wrong_ = "a bracket is closed that is not open";
            put(c);
            if (in_list() && depth_ == list_depth_) end_entry();
            return;
        }
        if (c != '{' && c != '[') put(c);
        if (c == '"') in_text_ = true;
    }

    void open(char c) {
        const bool projects = c == '[' && depth_ == 1 && frame_.ends_with(R"("projects":)");
        if (++depth_ > deepest) wrong_ = "it is nested too deep";
        put(c);
        if (!projects) return;
        if (listed_) wrong_ = "it has two lists of projects";
        listed_ = true;
        list_depth_ = depth_;
        wants_entry_ = true;
        first_ = true;
    }

    // Between the entries.
    void take_in_list(char c) {
        if (c == ']' && (first_ || !wants_entry_)) {
            list_depth_ = 0;
            --depth_;
            put(c);
        } else if (c == ',' && !wants_entry_) {
            wants_entry_ = true;
        } else if (c == '{' && wants_entry_) {
            first_ = false;
            ++depth_;
            put(c);
        } else {
            wrong_ = "an entry of projects is no object";
        }
    }

    void end_entry() {
        wants_entry_ = false;
        if (const char* wrong = object_.read(entry_)) {
            wrong_ = wrong;
            return;
        }
        const std::string_view name = text_of(find(object_.members(), "name"));
        if (name.empty())
            wrong_ = "an entry of projects has no name";
        else
            callback_(name, serial_of(find(object_.members(), "_last-serial")));
        entry_.clear();
    }

    void put(char c) {
        std::string& text = in_entry() ? entry_ : frame_;
        // The last bracket of an entry is its own.
        (in_list() && !in_entry() && !entry_.empty() ? entry_ : text) += c;
        if (entry_.size() > longest_entry) wrong_ = "an entry of projects has more than 16 KiB";
        if (frame_.size() > longest_frame) wrong_ = "it has more than 1 MiB around its projects";
    }

    NameList::Entry callback_;
    JsonObject object_{0};
    std::string frame_;  // all but the entries
    std::string entry_;
    int depth_ = 0;
    int list_depth_ = 0;  // of what stands in the list; 0: outside of it
    bool in_text_ = false;
    bool escaped_ = false;
    bool listed_ = false;
    bool first_ = false;        // nothing stands in the list yet
    bool wants_entry_ = false;  // and no comma
    const char* wrong_ = nullptr;
};

}  // namespace

std::unique_ptr<NameList::Reader> root_json_reader(NameList::Entry entry) {
    return std::make_unique<RootJson>(std::move(entry));
}

}  // namespace pep381d
