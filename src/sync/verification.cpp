#include "pep381d/sync/verification.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "pep381d/sync/root_check.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

constexpr std::size_t projects_at_once = 200;
// What an entry of a directory counts for.
constexpr std::size_t entry_cost = 8 << 10;

bool same_places(const Finding& a, const Finding& b) {
    return a.flaw == b.flaw && a.path == b.path;
}

// Those of the second look that the first has seen too.
std::vector<Finding> found_twice(const std::vector<Finding>& first, std::vector<Finding> second) {
    std::erase_if(second, [&](const Finding& finding) {
        return std::none_of(first.begin(), first.end(),
                            [&](const Finding& before) { return same_places(before, finding); });
    });
    return second;
}

}  // namespace

Formats formats_of(State& state) {
    const auto made = state.text(Note::made_formats);
    if (!made) return {false, false, false};
    Formats formats{made->find("html") != std::string::npos,
                    made->find("json") != std::string::npos, true};
    if (made->starts_with("on the way")) formats.settled = false;
    return formats;
}

Verification::Verification(State& state, FileTree& tree, bool hash)
    : state_(state), tree_(tree), formats_(formats_of(state)) {
    scope_.formats = formats_;
    scope_.hash = hash;
    if (const auto web = tree_.look(layout::web); web && web.value())
        scope_.owner = web.value()->owner;
}

Verification::~Verification() = default;

void Verification::placed(const std::string& path) {
    if (walk_) walk_->placed(path);
}

bool Verification::go_on(std::size_t most) {
    std::size_t left = most;
    while (left > 0 && step_ != Step::done) {
        switch (step_) {
            case Step::outside:
                check_outside();
                walk_ = std::make_unique<TreeWalk>(state_, tree_, formats_);
                step_ = Step::walk;
                break;
            case Step::walk:
                walk(left);
                break;
            case Step::root:
                check_root_twice();
                step_ = Step::projects;
                break;
            case Step::projects:
                projects(left);
                break;
            case Step::done:
                break;
        }
    }
    return step_ != Step::done;
}

// last-modified is never ahead of what was handled (design 2.3).
void Verification::check_outside() {
    const auto look = tree_.look(layout::last_modified);
    if (look && !look.value()) return;
    const auto add = [&](Flaw flaw, std::string cause) {
        findings_.push_back({flaw, layout::last_modified, std::move(cause), std::nullopt});
    };
    if (!look) return add(Flaw::unreadable, look.failure().what);
    if (look.value()->kind != FileKind::file) return add(Flaw::wrong_kind, "no regular file");
    const auto text = read_whole(tree_, layout::last_modified);
    if (!text) return add(Flaw::unreadable, text.failure().what);
    const auto line = std::string_view(text.value());
    const auto shown =
        line.ends_with('\n') ? parse_basic(line.substr(0, line.size() - 1)) : std::nullopt;
    if (!shown) return add(Flaw::ahead, "it holds no time");
    // Its seconds are whole.
    const auto poll = state_.time(Note::last_poll);
    if (!poll || *shown > *poll)
        add(Flaw::ahead, fmt::format("it says {}, and the newest poll began {}",
                                     format_basic(*shown), poll ? format_basic(*poll) : "never"));
}

void Verification::walk(std::size_t& left) {
    const auto done = walk_->go_on(std::max<std::size_t>(left / entry_cost, 1)) * entry_cost;
    left -= std::min(left, done);
    for (Finding& finding : walk_->take()) findings_.push_back(std::move(finding));
    for (ProjectName& name : walk_->take_waiting()) waiting_.push_back(std::move(name));
    if (!walk_->ended()) return;
    walk_.reset();
    step_ = Step::root;
}

void Verification::check_root_twice() {
    const auto first = check_root(state_, tree_, formats_);
    if (first.empty()) return;
    for (Finding& finding : found_twice(first, check_root(state_, tree_, formats_)))
        findings_.push_back(std::move(finding));
}

void Verification::projects(std::size_t& left) {
    if (!examination_) {
        auto subject = next_subject();
        if (!subject) {
            step_ = Step::done;
            return;
        }
        again_ = false;
        examination_.emplace(tree_, std::make_shared<Subject>(std::move(*subject)), scope_);
    }
    left -= std::min(left, examination_->go_on(left) + 1);
    if (examination_->ended()) end_examination();
}

Subject Verification::subject_of(const ProjectName& name, std::int64_t id) {
    Subject subject{name, id, state_.page(name)};
    const auto known = state_.published(name);
    subject.shown = known && known->page;
    subject.waiting = state_.queued(name).has_value() || !known;
    return subject;
}

std::optional<Subject> Verification::next_subject() {
    if (!waiting_.empty()) {
        const ProjectName name = std::move(waiting_.back());
        waiting_.pop_back();
        return subject_of(name, 0);
    }
    constexpr Time for_ever{std::chrono::milliseconds(std::numeric_limits<std::int64_t>::max())};
    if (next_.empty())
        for (Unverified& one : state_.unverified(last_, for_ever, projects_at_once))
            next_.push_back(std::move(one));
    if (next_.empty()) return std::nullopt;
    last_ = std::move(next_.front());
    next_.pop_front();
    return subject_of(*last_.name, last_.id);
}

// What was found counts when a second look, with what the state says by then, finds it again.
void Verification::end_examination() {
    std::vector<Finding> found = std::move(examination_->findings());
    if (found.empty() || again_) {
        for (Finding& finding : found) findings_.push_back(std::move(finding));
        examination_.reset();
        return;
    }
    Scope scope = scope_;
    for (const Finding& finding : found) scope.only.insert(finding.path);
    const Subject& subject = examination_->subject();
    auto fresh = std::make_shared<Subject>(subject_of(subject.name, subject.id));
    again_ = true;
    examination_.emplace(tree_, std::move(fresh), std::move(scope));
}

std::vector<Finding> verify(State& state, FileTree& tree, bool hash) {
    Verification verification(state, tree, hash);
    while (verification.go_on(std::numeric_limits<std::size_t>::max())) {
    }
    return verification.take();
}

}  // namespace pep381d
