#include "pep381d/master/xmlrpc.h"

#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "pep381d/base/digest.h"
#include "pep381d/base/text.h"
#include "pep381d/master/element_stream.h"

#include "master/xmlrpc_value.h"

namespace pep381d {

namespace {

using xmlrpc::integer_of;
using xmlrpc::is_nil;
using xmlrpc::only_element;
using xmlrpc::string_of;
using xmlrpc::text_of;

// 50,000 rows have 12 MB. More than this is no journal, and events are kept in memory.
constexpr std::size_t longest_changelog = 256 * 1024 * 1024;

// White space counts where it is all that a string holds, and nowhere else.
constexpr unsigned int parse_flags =
    pugi::parse_escapes | pugi::parse_cdata | pugi::parse_ws_pcdata_single;

std::string request(std::string_view method, std::string_view parameters) {
    return fmt::format(
        "<?xml "
        "version='1.0'?>\n<methodCall><methodName>{}</methodName><params>{}</params></"
        "methodCall>\n",
        method, parameters);
}

// An answer to one method. Its items are cut out of it as it arrives, so that memory holds one at a
// time.
class Answer {
  public:
    // What is wrong with the item, or null.
    using Item = std::function<const char*(pugi::xml_node item)>;

    Answer(const char* method, std::vector<std::string> path, Item item,
           ElementStream::Quick quick = {})
        : method_(method),
          path_(path),
          item_(std::move(item)),
          stream_(
              std::move(path), [this](std::string& text) { return take(text); }, std::move(quick)) {
    }

    Answer(const Answer&) = delete;  // stream_ points back
    Answer& operator=(const Answer&) = delete;

    Done feed(std::string_view piece) {
        Done done = stream_.feed(piece);
        return done ? done : named(done.failure());
    }

    Done finish() {
        Outcome<std::string> frame = stream_.finish();
        if (!frame) return named(frame.failure());
        std::string text = std::move(frame).value();
        const auto result = document_.load_buffer_inplace(text.data(), text.size(), parse_flags,
                                                          pugi::encoding_utf8);
        if (!result) return corrupt(result.description());
        pugi::xml_node node = document_.document_element();
        if (const pugi::xml_node fault = node.child("fault"))
            return xmlrpc::fault_failure(method_, fault);
        for (std::size_t i = 1; i + 1 < path_.size(); ++i) {
            node = only_element(node, path_[i]);
            if (!node)
                return corrupt(fmt::format("<{}> is missing or not alone", path_[i]).c_str());
        }
        for (const pugi::xml_node rest : node.children())
            if (rest.type() == pugi::node_element || !trim(rest.value()).empty())
                return corrupt("something else stands among the values");
        return Nothing{};
    }

    Failure corrupt(const char* cause) const {
        return named(Failure{Fault::corrupt,
                             fmt::format("the answer is not of the promised shape: {}", cause)});
    }

  private:
    Failure named(Failure failure) const {
        failure.what = fmt::format("{}: {}", method_, failure.what);
        return failure;
    }

    Done take(std::string& text) {
        const auto result = document_.load_buffer_inplace(text.data(), text.size(), parse_flags,
                                                          pugi::encoding_utf8);
        const char* wrong = result ? item_(document_.document_element()) : result.description();
        if (wrong == nullptr) return Nothing{};
        return Failure{Fault::corrupt,
                       fmt::format("the answer is not of the promised shape: {}", wrong)};
    }

    const char* method_;
    std::vector<std::string> path_;
    Item item_;
    pugi::xml_document document_;
    ElementStream stream_;
};

const char* read_row(pugi::xml_node row, std::vector<Event>& events) {
    pugi::xml_node cells[5];
    std::size_t count = 0;
    for (const pugi::xml_node cell : only_element(only_element(row, "array"), "data").children()) {
        if (count == std::size(cells) || std::string_view(cell.name()) != "value")
            return "a row has not five values";
        cells[count++] = cell;
    }
    if (count != std::size(cells)) return "a row has not five values";
    auto name = string_of(cells[0]);
    const auto version = string_of(cells[1]);
    auto action = string_of(cells[3]);
    const auto serial = integer_of(cells[4]);
    if (!name || !version || !action) return "name, version or action of a row is no string";
    if (!serial || *serial < 1) return "the serial of a row is no positive integer";
    events.push_back(
        Event{std::move(*name), std::move(*action), !version->empty(), Serial{*serial}});
    return nullptr;
}

// A row of the journal by time has four values, or five where it was asked for serials too.
const char* read_timed_row(pugi::xml_node row, std::map<std::string, int>& seen,
                           std::vector<Event>& events) {
    std::vector<pugi::xml_node> cells;
    for (const pugi::xml_node cell : only_element(only_element(row, "array"), "data").children())
        if (cells.push_back(cell); cells.size() > 5) break;
    if (cells.size() != 4 && cells.size() != 5) return "a row has neither four nor five values";
    auto name = string_of(cells[0]);
    const auto version = string_of(cells[1]);
    const auto time = integer_of(cells[2]);
    auto action = string_of(cells[3]);
    if (!name || !version || !action) return "name, version or action of a row is no string";
    if (!time || *time < 0) return "the time of a row is no non-negative integer";
    const std::string text = fmt::format("{}\n{}\n{}\n{}", *name, *version, *time, *action);
    // Of equal rows, which some seconds have, each counts.
    const int number = ++seen[text];
    const std::string mark = to_hex(sha256(fmt::format("{}\n{}", text, number))).substr(0, 32);
    events.push_back(
        Event{std::move(*name), std::move(*action), !version->empty(), {}, *time, mark});
    return nullptr;
}

const char* read_member(pugi::xml_node member, const ListReader::Entry& entry) {
    const pugi::xml_node name = member.first_child();
    const pugi::xml_node value = name.next_sibling();
    if (std::string_view(name.name()) != "name" || std::string_view(value.name()) != "value" ||
        !value.next_sibling().empty())
        return "a member is not a name and a value";
    const auto text = text_of(name);
    const auto serial = is_nil(value) ? 0 : integer_of(value);
    if (!text) return "the name of a member is no text";
    if (!serial || *serial < 0) return "the serial of a project is no non-negative integer";
    entry(*text, Serial{*serial});
    return nullptr;
}

// Cuts `text` off the front of `rest`, with the white space before it.
bool cut(std::string_view& rest, std::string_view text) {
    const auto first = rest.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || rest.substr(first, text.size()) != text) return false;
    rest.remove_prefix(first + text.size());
    return true;
}

bool plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

// The rest of a member in the one form that PyPI writes, without a parser: half of the time that it
// takes to read a list. Its length, or 0 for all else, which goes to the parser.
std::size_t read_plain_member(std::string_view member, const ListReader::Entry& entry) {
    std::string_view rest = member;
    if (!cut(rest, "<name>")) return 0;
    std::size_t length = 0;
    while (length < rest.size() && plain(rest[length])) ++length;
    const std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    if (!rest.starts_with("</name>")) return 0;
    rest.remove_prefix(7);
    if (!cut(rest, "<value>") || !rest.starts_with("<int>")) return 0;
    rest.remove_prefix(5);
    std::int64_t serial = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), serial);
    if (error != std::errc{} || serial < 0) return 0;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    constexpr std::string_view closing = "</int></value>";
    if (!rest.starts_with(closing)) return 0;
    rest.remove_prefix(closing.size());
    if (!cut(rest, "</member>")) return 0;
    entry(name, Serial{serial});
    return member.size() - rest.size();
}

}  // namespace

std::string request_last_serial() {
    return request("changelog_last_serial", "");
}

std::string request_changelog(Serial since) {
    return request("changelog_since_serial",
                   fmt::format("<param><value><int>{}</int></value></param>", since.value));
}

std::string request_list() {
    return request("list_packages_with_serial", "");
}

std::string request_changelog_since(std::int64_t time) {
    return request("changelog", fmt::format("<param><value><int>{}</int></value></param>", time));
}

std::string request_names() {
    return request("list_packages", "");
}

struct SerialReader::Impl {
    std::optional<Serial> serial;
    Answer answer{"changelog_last_serial",
                  {"methodResponse", "params"},
                  [this](pugi::xml_node params) -> const char* {
                      const pugi::xml_node value =
                          only_element(only_element(params, "param"), "value");
                      const auto number = is_nil(value) ? 0 : integer_of(value);
                      if (serial) return "more than one value";
                      if (!number || *number < 0) return "the serial is no non-negative integer";
                      serial = Serial{*number};
                      return nullptr;
                  }};
};

SerialReader::SerialReader() : impl_(std::make_unique<Impl>()) {}
SerialReader::~SerialReader() = default;
Done SerialReader::feed(std::string_view piece) {
    return impl_->answer.feed(piece);
}

Outcome<Serial> SerialReader::finish() {
    if (Done done = impl_->answer.finish(); !done) return done.failure();
    if (!impl_->serial) return impl_->answer.corrupt("no value");
    return *impl_->serial;
}

struct ChangelogReader::Impl {
    explicit Impl(bool timed)
        : by_time(timed),
          answer{timed ? "changelog" : "changelog_since_serial",
                 {"methodResponse", "params", "param", "value", "array", "data", "value"},
                 [this](pugi::xml_node row) {
                     return by_time ? read_timed_row(row, seen, events) : read_row(row, events);
                 }} {}
    const bool by_time;
    std::vector<Event> events;
    std::map<std::string, int> seen;
    std::size_t bytes = 0;
    Answer answer;
};

ChangelogReader::ChangelogReader(bool by_time) : impl_(std::make_unique<Impl>(by_time)) {}
ChangelogReader::~ChangelogReader() = default;

Done ChangelogReader::feed(std::string_view piece) {
    impl_->bytes += piece.size();
    if (impl_->bytes > longest_changelog) return impl_->answer.corrupt("more than 256 MiB");
    return impl_->answer.feed(piece);
}

Outcome<std::vector<Event>> ChangelogReader::finish() {
    if (Done done = impl_->answer.finish(); !done) return done.failure();
    return std::move(impl_->events);
}

struct NamesReader::Impl {
    explicit Impl(Entry callback) : entry(std::move(callback)) {}
    Entry entry;
    Answer answer{"list_packages",
                  {"methodResponse", "params", "param", "value", "array", "data", "value"},
                  [this](pugi::xml_node value) -> const char* {
                      const auto name = string_of(value);
                      if (!name) return "a name is no string";
                      entry(*name);
                      return nullptr;
                  }};
};

NamesReader::NamesReader(Entry entry) : impl_(std::make_unique<Impl>(std::move(entry))) {}
NamesReader::~NamesReader() = default;
Done NamesReader::feed(std::string_view piece) {
    return impl_->answer.feed(piece);
}
Done NamesReader::finish() {
    return impl_->answer.finish();
}

struct ListReader::Impl {
    explicit Impl(Entry callback) : entry(std::move(callback)) {}
    Entry entry;
    Answer answer{"list_packages_with_serial",
                  {"methodResponse", "params", "param", "value", "struct", "member"},
                  [this](pugi::xml_node member) { return read_member(member, entry); },
                  [this](std::string_view rest) { return read_plain_member(rest, entry); }};
};

ListReader::ListReader(Entry entry) : impl_(std::make_unique<Impl>(std::move(entry))) {}
ListReader::~ListReader() = default;
Done ListReader::feed(std::string_view piece) {
    return impl_->answer.feed(piece);
}
Done ListReader::finish() {
    return impl_->answer.finish();
}

}  // namespace pep381d
