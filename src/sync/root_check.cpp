#include "pep381d/sync/root_check.h"

#include <array>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include "pep381d/pages/root_index.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

constexpr std::size_t chunk = 128 * 1024;

// A file of the tree, read forward.
class Reader {
  public:
    Reader(FileTree& tree, Descriptor file) : tree_(tree), file_(std::move(file)) {}

    // Up to so many bytes are in view; fewer only at the end.
    std::string_view view(std::size_t least) {
        while (!ended_ && bytes_.size() - at_ < least) more();
        return std::string_view(bytes_).substr(at_);
    }
    void skip(std::size_t count) {
        at_ += count;
        passed_ += count;
    }
    // The text is next, and is passed.
    bool matches(std::string_view text) {
        if (view(text.size()).substr(0, text.size()) != text) return false;
        skip(text.size());
        return true;
    }
    std::size_t passed() const { return passed_; }
    const std::optional<Failure>& failure() const { return failure_; }

  private:
    void more() {
        bytes_.erase(0, at_);
        at_ = 0;
        const auto before = bytes_.size();
        bytes_.resize(before + chunk);
        const auto got = tree_.read(file_, bytes_.data() + before, chunk);
        if (!got) failure_ = got.failure();
        bytes_.resize(before + (got ? got.value() : 0));
        ended_ = bytes_.size() < before + chunk;
    }

    FileTree& tree_;
    Descriptor file_;
    std::string bytes_;
    std::size_t at_ = 0, passed_ = 0;
    bool ended_ = false;
    std::optional<Failure> failure_;
};

struct Root {
    std::string path;
    bool html;
    std::uint64_t inode;
    std::unique_ptr<Reader> reader;
    bool right = true;  // so far
    bool first = true;
};

// The number that stands next, behind `before`.
std::optional<Serial> read_serial(Reader& reader, std::string_view before) {
    if (!reader.matches(before)) return std::nullopt;
    const std::string_view text = reader.view(20).substr(0, 20);
    Serial serial;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), serial.value);
    if (read.ec != std::errc()) return std::nullopt;
    reader.skip(static_cast<std::size_t>(read.ptr - text.data()));
    return serial;
}

class RootCheck {
  public:
    RootCheck(State& state, FileTree& tree, const Formats& formats)
        : state_(state), tree_(tree), formats_(formats) {}

    std::vector<Finding> run() {
        const auto written = state_.number(Note::root_written);
        // Of a state that was lost, and this one knows nothing yet.
        if (!written && !state_.number(Note::cursor)) return {};
        // One of a state that was lost may be of any serial.
        if (written) cursor_ = Serial{state_.number(Note::cursor).value_or(0)};
        for (const auto& [path, html] :
             {std::pair(layout::root_html, true), std::pair(layout::root_v1_html, true),
              std::pair(layout::root_json, false)})
            open(path, html, written.has_value());
        if (written && written == state_.number(Note::root_changes) &&
            !state_.number(Note::older_tree))
            compare();
        else
            for (Root& root : roots_) follow(root);
        return std::move(findings_);
    }

  private:
    void add(Flaw flaw, const std::string& path, std::string cause) {
        findings_.push_back({flaw, path, std::move(cause), std::nullopt});
    }

    void open(const std::string& path, bool html, bool written) {
        const auto look = tree_.look(path);
        const bool wanted = html ? formats_.html : formats_.json;
        if (!look) {
            add(Flaw::unreadable, path, cause_of(look.failure()));
        } else if (!look.value()) {
            if (wanted && written && formats_.settled)
                add(Flaw::missing, path, "the root index is not there");
        } else if (look.value()->kind != FileKind::file) {
            add(Flaw::wrong_kind, path, "no regular file lies where the root index belongs");
        } else if (wanted || !formats_.settled) {
            auto file = tree_.open(path);
            if (file)
                roots_.push_back({path, html, look.value()->inode,
                                  std::make_unique<Reader>(tree_, std::move(file).value())});
            else
                add(Flaw::unreadable, path, cause_of(file.failure()));
        }
    }

    void wrong(Root& root, const std::string& cause) {
        if (root.reader->failure())
            add(Flaw::unreadable, root.path, cause_of(*root.reader->failure()));
        else
            add(Flaw::wrong_bytes, root.path, cause);
        root.right = false;
    }

    bool may_be(Serial serial) const { return !cursor_ || serial <= *cursor_; }

    // Head and foot, with the serial of the time at which it was written.
    bool head(Root& root) {
        std::string text;
        if (root.html) {
            begin_root_html(text);
            return root.reader->matches(text);
        }
        const auto serial = read_serial(*root.reader, R"({"meta":{"_last-serial":)");
        begin_root_json(text, serial.value_or(Serial{}));
        const std::string_view rest = std::string_view(text).substr(text.find(','));
        return serial && may_be(*serial) && root.reader->matches(rest);
    }
    bool foot(Root& root) {
        std::string text;
        if (root.html) {
            const auto serial = read_serial(*root.reader, "</body>\n</html>\n<!--SERIAL ");
            return serial && may_be(*serial) && root.reader->matches("-->\n") &&
                   root.reader->view(1).empty();
        }
        end_root_json(text);
        return root.reader->matches(text) && root.reader->view(1).empty();
    }

    // It must show just what the state says.
    void compare() {
        const auto differs = [&](Root& root) {
            wrong(root,
                  fmt::format("it is not the root index that the state makes, from byte {} on",
                              root.reader->passed()));
        };
        for (Root& root : roots_)
            if (!head(root)) differs(root);
        std::string text;
        state_.for_each_listed([&](std::string_view name, std::string_view display, Serial serial) {
            for (Root& root : roots_) {
                text.clear();
                if (root.html)
                    add_root_html(text, {name, display, serial});
                else
                    add_root_json(text, {name, display, serial}, std::exchange(root.first, false));
                if (root.right && !root.reader->matches(text)) differs(root);
            }
        });
        for (Root& root : roots_)
            if (root.right && !foot(root)) differs(root);
        check_alias();
    }

    // index.v1_html is a hard link of index.html, so that they can never differ.
    void check_alias() {
        if (!formats_.settled) return;
        const Root* html = nullptr;
        for (const Root& root : roots_) {
            if (!root.html || !root.right) continue;
            if (html != nullptr && html->inode != root.inode)
                add(Flaw::wrong_kind, root.path, "it is no hard link of index.html");
            html = &root;
        }
    }

    // It may be older or newer than the state.
    void follow(Root& root) {
        const auto torn = [&] { wrong(root, "it is torn, or no root index of pep381d's"); };
        if (!head(root)) return torn();
        const std::string_view before = root.html ? "<a href=\"" : R"("name":")";
        const std::string_view behind = root.html ? "/\">" : "\"}";
        const std::string_view end = root.html ? "</body>" : "]}\n";
        constexpr std::size_t entry_most = 4096;
        for (;;) {
            std::string_view text = root.reader->view(entry_most).substr(0, entry_most);
            if (text.starts_with(end)) break;
            const auto from = text.find(before);
            if (from == std::string_view::npos) return torn();
            text.remove_prefix(from + before.size());
            const auto to = text.find(behind);
            if (to == std::string_view::npos) return torn();
            check_page(root, text.substr(0, to));
            const auto line = root.html ? text.find("</a>\n") : to;
            if (line == std::string_view::npos) return torn();
            root.reader->skip(from + before.size() + line + (root.html ? 5 : behind.size()));
        }
        if (!foot(root)) torn();
    }

    void check_page(Root& root, std::string_view shown) {
        const auto name = ProjectName::parse(shown);
        if (!name) return wrong(root, fmt::format("it names {}, which is no project", shown));
        const auto known = state_.published(*name);
        if (known && known->page && formats_.settled) return;  // looked at with the project
        const std::string page =
            layout::published(root.html ? layout::page_html(*name) : layout::page_json(*name));
        const auto look = tree_.look(page);
        if (look && (!look.value() || look.value()->kind != FileKind::file))
            add(Flaw::dead_link, root.path,
                fmt::format("it lists {}, and {} is not there", name->text(), page));
    }

    State& state_;
    FileTree& tree_;
    const Formats& formats_;
    std::optional<Serial> cursor_;
    std::vector<Root> roots_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_root(State& state, FileTree& tree, const Formats& formats) {
    return RootCheck(state, tree, formats).run();
}

}  // namespace pep381d
