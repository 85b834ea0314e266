// Pages of a master in the state: what goes in comes out, whatever it holds, and so do the texts
// beside it.
#include "pep381d/state/state.h"

#include "pep381d/master/page_json.h"
#include "pep381d/plan/page_plan.h"

#include "fuzz.h"
#include "support/temporary_directory.h"

using namespace pep381d;
using fuzz::require;

namespace {

const ProjectName foo = *ProjectName::parse("foo");

void check_page(State& state, ProjectPage page) {
    PagePlan plan = plan_page(std::move(page), nullptr, {});
    for (std::size_t i = 0; i < plan.page.files.size(); ++i) {
        File& file = plan.page.files[i];
        file.held = i % 3 != 0;
        file.metadata_held = file.held && file.core_metadata.offered;
    }
    State::Change change(state);
    state.record_page(plan.page, "Foo", "\"etag\"", Time{});
    const auto back = state.page(foo);
    require(back.has_value(), "a page that was stored is there");
    require(*back == plan.page, "a page comes back as it was put in");
    // Undone with the change: each input finds an empty state.
}

void check_texts(State& state, std::string_view text) {
    State::Change change(state);
    state.set(Note::last_error, text);
    require(state.text(Note::last_error) == std::string(text), "a text comes back", text);
    state.skip(text, "", text);
    const auto skipped = state.skipped(10);
    require(skipped.size() == 1, "what was left out is told");
    state.enqueue(foo, text, Serial{1}, Loss::nothing, Time{}, true);
    state.postpone(foo, Time{}, Time{}, {Fault::corrupt, std::string(text)});
    const auto failing = state.failing_projects(10);
    require(failing.size() == 1 && failing[0].cause == text, "a cause comes back", text);
}

}  // namespace

void fuzz_one(std::string_view input) {
    static TemporaryDirectory directory;
    static State state(directory.path() / "state.db", State::Access::write);
    check_texts(state, input);
    auto read = read_page_json(input, "https://pypi.example/simple/foo/", foo);
    if (read) check_page(state, std::move(read).value().page);
}
