#include "pep381d/sync/verification.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "pep381d/state/damage.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/sync/root_check.h"
#include "pep381d/sync/server_keys.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

constexpr std::size_t projects_at_once = 200;
constexpr std::size_t looks_a_thread = 64;
constexpr std::size_t entries_at_once = 500;
constexpr std::size_t files_a_part = 64;
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
    if (!made) return {false, false, false, nullptr, false};
    Formats formats{made->find("html") != std::string::npos,
                    made->find("json") != std::string::npos, true, nullptr,
                    made->find("copy") != std::string::npos};
    if (made->starts_with("on the way")) formats.settled = false;
    const auto keys = state.text(Note::server_keys).value_or("");
    if (keys.empty()) return formats;
    formats.keys = read_server_keys(keys);
    if (!formats.keys)
        throw StateDamaged(fmt::format("the state's public keys cannot be read; {}", adopt_anew));
    return formats;
}

Verification::Verification(State& state, FileTree& tree, VerifyOptions options)
    : state_(state), tree_(tree), options_(options), formats_(formats_of(state)) {
    scope_.formats = formats_;
    scope_.hash = options_.hash;
    last_.id = clean_up_to_ = options_.behind;
    walked_clean_ = options_.walked;
    if (options_.threads > 0) examiners_ = std::make_unique<Examiners>(options_.threads);
    if (const auto web = tree_.look(layout::web); web && web.value())
        scope_.owner = web.value()->owner;
}

Verification::~Verification() = default;

// Whoever passes the walk by never hears of a project that the state does not know.
bool Verification::walked_clean() const {
    const auto unknown = [](const auto& one) { return one.second.id == 0; };
    return walked_clean_ && waiting_.empty() && std::none_of(looks_.begin(), looks_.end(), unknown);
}

bool Verification::go_on(std::size_t most) {
    std::size_t left = most;
    while (left > 0 && step_ != Step::done) {
        switch (step_) {
            case Step::outside:
                check_outside();
                check_server_keys();
                if (!options_.walked)
                    walk_ =
                        std::make_unique<TreeWalk>(state_, tree_, formats_, examiners_ != nullptr);
                step_ = options_.walked ? Step::root : Step::walk;
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
        this->add({flaw, layout::last_modified, std::move(cause), std::nullopt});
    };
    if (!look) return add(Flaw::unreadable, cause_of(look.failure()));
    if (look.value()->kind != FileKind::file) return add(Flaw::wrong_kind, "no regular file");
    const auto read = shown_last_modified(tree_);
    if (!read) return add(Flaw::unreadable, cause_of(read.failure()));
    const auto shown = read.value();
    if (!shown) return add(Flaw::ahead, "it holds no time");
    // Its seconds are whole. Where there was no poll, it is that of a state that was lost.
    const auto poll = state_.time(Note::last_poll);
    if (poll && *shown > *poll)
        add(Flaw::ahead, fmt::format("it says {}, and the newest poll began {}",
                                     format_basic(*shown), format_basic(*poll)));
}

void Verification::check_server_keys() {
    if (!formats_.keys || !formats_.settled) return;
    for (const auto& [path, key] :
         {std::pair(layout::server_key, &formats_.keys->dsa),
          std::pair(layout::server_key_ed25519, &formats_.keys->ed25519)}) {
        const auto look = tree_.look(path);
        const auto text = read_whole(tree_, path, key->pem().size());
        if (look && !look.value())
            add({Flaw::missing, path, "nobody can check the signatures", std::nullopt});
        else if (!text)
            add({Flaw::unreadable, path, cause_of(text.failure()), std::nullopt});
        else if (text.value() != key->pem())
            add({Flaw::wrong_bytes, path, "it is not the key that pages are signed with",
                 std::nullopt});
    }
}

void Verification::walk(std::size_t& left) {
    if (options_.side_by_side && examiners_) start_some();
    const auto most = std::clamp<std::size_t>(left / entry_cost, 1, entries_at_once);
    std::size_t done = 0;
    {
        const State::Reading reading(state_);
        done = walk_->go_on(most);
    }
    left -= std::min(left, std::max<std::size_t>(done, 1) * entry_cost);
    if (examiners_) {
        for (auto& walk : walk_->take_walks()) examiners_->start(std::move(walk));
        const bool wait = done == 0 && !walk_->ended();
        for (auto& work : examiners_->reap(wait)) take_in(std::move(work));
        if (wait) left = 0;  // as below
    }
    for (Finding& finding : walk_->take()) add(std::move(finding));
    for (ProjectName& name : walk_->take_waiting()) waiting_.push_back(std::move(name));
    if (!walk_->ended()) return;
    walk_.reset();
    walked_clean_ = !faulty_;
    step_ = Step::root;
}

void Verification::check_root_twice() {
    const auto first = check_root(state_, tree_, formats_);
    if (first.empty()) return;
    for (Finding& finding : found_twice(first, check_root(state_, tree_, formats_)))
        add(std::move(finding));
}

void Verification::add(Finding finding) {
    faulty_ = faulty_ || is_fault(finding.flaw);
    findings_.push_back(std::move(finding));
}

void Verification::projects(std::size_t& left) {
    start_some();
    if (looks_.empty()) {
        step_ = Step::done;
        return;
    }
    if (examiners_) {
        for (auto& work : examiners_->reap(true)) take_in(std::move(work));
        left = 0;  // the wait may have been long, and the caller has signals to heed
        return;
    }
    left -= std::min(left, here_.front()->go_on(left) + 1);
    if (!here_.front()->ended()) return;
    const std::unique_ptr<Examination> examination = std::move(here_.front());
    here_.pop_front();
    ended(*examination);
}

void Verification::take_in(Examiners::Work work) {
    if (auto* walk = std::get_if<std::unique_ptr<PackageWalk>>(&work))
        walk_->take_back(std::move(*walk));
    else
        ended(*std::get<std::unique_ptr<Examination>>(work));
}

void Verification::start_some() {
    const std::size_t at_once =
        examiners_ ? static_cast<std::size_t>(options_.threads) * looks_a_thread : 1;
    // Not for each that has ended: they are read together.
    if (looks_.size() > at_once / 2) return;
    const State::Reading reading(state_);
    while (looks_.size() < at_once && start_next()) {
    }
}

bool Verification::start_next() {
    auto subject = next_subject();
    if (!subject) return false;
    start(std::make_shared<const Subject>(std::move(*subject)), scope_);
    return true;
}

// A large project is looked at in parts, so that several threads share it.
void Verification::start(const std::shared_ptr<const Subject>& subject, Scope scope) {
    Look& look = looks_[subject.get()];
    look.id = subject->id;
    const std::size_t files = subject->page ? subject->page->files.size() : 0;
    const bool whole = !examiners_ || scope.again || files <= files_a_part;
    for (std::size_t first = 0; first == 0 || first < files; first += files_a_part) {
        scope.pages = first == 0;
        scope.first_file = first;
        if (!whole) scope.last_file = first + files_a_part;
        auto examination = std::make_unique<Examination>(tree_, subject, scope);
        ++look.parts;
        if (examiners_)
            examiners_->start(std::move(examination));
        else
            here_.push_back(std::move(examination));
        if (whole) break;
    }
}

Subject Verification::subject_of(const ProjectName& name, std::int64_t id) {
    Subject subject{name, id, state_.page(name)};
    const auto known = state_.published(name);
    subject.shown = known && known->page;
    if (formats_.copied) subject.copied = state_.copied(name);
    subject.waiting = state_.queued(name).has_value() || !known;
    return subject;
}

std::optional<Subject> Verification::next_subject() {
    if (!waiting_.empty()) {
        const ProjectName name = std::move(waiting_.back());
        waiting_.pop_back();
        return subject_of(name, 0);
    }
    if (next_.empty()) {
        auto some = options_.hash ? state_.unverified(last_, options_.since, projects_at_once)
                                  : state_.projects_behind(last_.id, projects_at_once);
        for (Unverified& one : some) next_.push_back(std::move(one));
    }
    if (next_.empty()) return std::nullopt;
    last_ = std::move(next_.front());
    next_.pop_front();
    return subject_of(*last_.name, last_.id);
}

// What was found counts when a second look, with what the state says by then, finds it again.
void Verification::ended(Examination& examination) {
    const std::shared_ptr<const Subject> subject = examination.subject();
    std::vector<Finding>& found = examination.findings();
    bytes_ += examination.bytes();
    Look& look = looks_.at(subject.get());
    if (examination.scope().again) {
        look.faulty = look.faulty || !found.empty();
        for (Finding& finding : found) add(std::move(finding));
    } else if (!found.empty()) {
        look.faulty = true;
        Scope scope = scope_;
        scope.again = true;
        for (const Finding& finding : found) scope.only.insert(finding.path);
        start(std::make_shared<const Subject>(subject_of(subject->name, subject->id)),
              std::move(scope));
    }
    if (--looks_.at(subject.get()).parts > 0) return;
    const bool faulty = looks_.at(subject.get()).faulty;
    looks_.erase(subject.get());
    if (examination.scope().again) return;
    ++projects_done_;
    if (faulty && subject->id == 0) walked_clean_ = false;
    if (!faulty) note(subject->id);
}

void Verification::note(std::int64_t id) {
    if (id == 0) return;
    // Examined side by side, they end in any order; those before the oldest one are done.
    if (!faulty_) {
        clean_up_to_ = last_.id;
        for (const auto& [subject, look] : looks_)
            if (look.id != 0) clean_up_to_ = std::min(clean_up_to_, look.id - 1);
    }
    if (options_.hash) verified_.push_back(id);
}

std::vector<Finding> verify(State& state, FileTree& tree, bool hash) {
    VerifyOptions options;
    options.hash = hash;
    Verification verification(state, tree, options);
    while (verification.go_on(std::numeric_limits<std::size_t>::max())) {
    }
    return verification.take();
}

}  // namespace pep381d
