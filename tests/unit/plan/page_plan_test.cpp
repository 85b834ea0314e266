#include "pep381d/plan/page_plan.h"

#include <algorithm>

#include "support/catch.h"
#include "support/sample_page.h"

using namespace pep381d;
using namespace sample;

namespace {

const PagePolicy all;

ProjectPage held(ProjectPage page) {
    for (File& file : page.files) {
        file.path = *file_path(file);
        file.held = true;
        file.metadata_held = file.core_metadata.offered;
    }
    return page;
}

}  // namespace

TEST_CASE("every file of a new project is fetched, and the metadata where it is offered") {
    const PagePlan plan = plan_page(
        page("foo", 5, {wheel("foo-1.0-py3-none-any.whl"), sdist("foo-1.0.tar.gz")}), nullptr, all);
    REQUIRE(plan.fetches.size() == 3);
    CHECK((plan.fetches[0].file == 0 && !plan.fetches[0].metadata));
    CHECK((plan.fetches[1].file == 0 && plan.fetches[1].metadata));
    CHECK((plan.fetches[2].file == 1 && !plan.fetches[2].metadata));
    CHECK_FALSE(plan.same);
    CHECK_FALSE(plan.loses);
}

TEST_CASE("a page that is what we have asks for nothing") {
    const ProjectPage fresh = page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")});
    const ProjectPage known = held(fresh);
    const PagePlan plan = plan_page(fresh, &known, all);
    CHECK(plan.fetches.empty());
    CHECK(plan.same);
}

TEST_CASE("a yank is published without fetching anything") {
    const ProjectPage known = held(page("foo", 5, {sdist("foo-1.0.tar.gz")}));
    ProjectPage fresh = page("foo", 6, {sdist("foo-1.0.tar.gz")});
    fresh.files[0].yanked = true;
    const PagePlan plan = plan_page(fresh, &known, all);
    CHECK(plan.fetches.empty());
    CHECK_FALSE(plan.same);
    CHECK(plan.page.files[0].held);
}

TEST_CASE("a file with another digest is fetched again") {
    const ProjectPage known = held(page("foo", 5, {sdist("foo-1.0.tar.gz")}));
    ProjectPage fresh = page("foo", 6, {sdist("foo-1.0.tar.gz")});
    fresh.files[0].digests[0].bytes = sha256("others");
    const PagePlan plan = plan_page(fresh, &known, all);
    REQUIRE(plan.fetches.size() == 1);
    CHECK_FALSE(plan.page.files[0].held);
}

TEST_CASE("what lies there may be what is wanted, where the page says more of it than before") {
    const ProjectPage fresh = page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")});
    ProjectPage known = held(fresh);
    known.files[0].size = 1;
    for (const bool held : {true, false}) {
        known.files[0].held = known.files[0].metadata_held = held;
        const PagePlan plan = plan_page(fresh, &known, all);
        REQUIRE(plan.fetches.size() == 2);
        CHECK(plan.fetches[0].lies_there == held);
        CHECK(plan.fetches[1].lies_there == held);
    }
    known.files[0].held = known.files[0].metadata_held = true;
    known.files[0].path = "packages/elsewhere/foo-1.0-py3-none-any.whl";
    for (const Fetch& fetch : plan_page(fresh, &known, all).fetches) CHECK_FALSE(fetch.lies_there);
}

TEST_CASE("a file without a digest is asked for by the ETag that came with it") {
    ProjectPage known = held(page("foo", 5, {sdist("foo-1.0.tar.gz")}));
    known.files[0].digests.clear();
    known.files[0].etag = "etag";
    ProjectPage fresh = page("foo", 5, {sdist("foo-1.0.tar.gz")});
    fresh.files[0].digests.clear();
    CHECK(asks_for_etags(known));
    const PagePlan plan = plan_page(fresh, &known, all);
    REQUIRE(plan.fetches.size() == 1);
    CHECK(plan.page.files[0].etag == "etag");
    CHECK(plan.same);
    known.files[0].held = false;
    CHECK_FALSE(asks_for_etags(known));
    CHECK(plan_page(fresh, &known, all).page.files[0].etag.empty());
    known.files[0].held = true;
    known.files[0].etag.clear();
    CHECK(plan_page(fresh, &known, all).fetches.empty());
}

TEST_CASE("metadata that is offered later is fetched alone") {
    ProjectPage known = held(page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")}));
    known.files[0].core_metadata = {};
    known.files[0].metadata_held = false;
    const PagePlan plan =
        plan_page(page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")}), &known, all);
    REQUIRE(plan.fetches.size() == 1);
    CHECK(plan.fetches[0].metadata);
    CHECK_FALSE(plan.same);
}

TEST_CASE("a file that has left the page is a loss") {
    const ProjectPage known =
        held(page("foo", 5, {sdist("foo-1.0.tar.gz"), sdist("foo-2.0.tar.gz")}));
    CHECK(plan_page(page("foo", 6, {sdist("foo-2.0.tar.gz")}), &known, all).loses);
    CHECK_FALSE(
        plan_page(page("foo", 6, {sdist("foo-1.0.tar.gz"), sdist("foo-2.0.tar.gz")}), &known, all)
            .loses);
}

TEST_CASE("no file of a quarantined project is offered, even if the master still lists some") {
    ProjectPage fresh = page("foo", 5, {sdist("foo-1.0.tar.gz")});
    fresh.status.status = "quarantined";
    const PagePlan plan = plan_page(fresh, nullptr, all);
    CHECK(plan.page.files.empty());
    CHECK(plan.fetches.empty());
}

TEST_CASE("pages alone need no file") {
    const PagePlan plan =
        plan_page(page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")}), nullptr, {false, true});
    CHECK(plan.fetches.empty());
    REQUIRE(plan.page.files.size() == 1);
    CHECK_FALSE(plan.page.files[0].held);
}

TEST_CASE("a file that can be stored nowhere is left out and reported") {
    File lost = sdist("foo-1.0.tar.gz");
    lost.url = "https://files.example/elsewhere/foo-1.0.tar.gz";
    lost.digests.clear();
    const PagePlan plan = plan_page(page("foo", 5, {lost, sdist("foo-2.0.tar.gz")}), nullptr, all);
    REQUIRE(plan.refused.size() == 1);
    CHECK(plan.refused[0].file == "foo-1.0.tar.gz");
    CHECK(plan.page.files.size() == 1);
}

TEST_CASE("two files never share a place, nor does one lie where another's metadata belongs") {
    File first = wheel("foo-1.0-py3-none-any.whl");
    File second = sdist("foo-1.0-py3-none-any.whl.metadata");
    second.url = first.url + ".metadata";
    const PagePlan plan = plan_page(page("foo", 5, {first, second}), nullptr, all);
    REQUIRE(plan.refused.size() == 1);
    CHECK(plan.refused[0].file == second.name.text());

    const PagePlan twice = plan_page(page("foo", 5, {first, first}), nullptr, all);
    CHECK(twice.page.files.size() == 1);
    REQUIRE(twice.refused.size() == 1);
    CHECK_THAT(twice.refused[0].cause, ContainsSubstring("lies at"));
}

TEST_CASE(
    "of a page's files that have no place a hundred are told one by one, and the rest counted") {
    ProjectPage fresh = page("foo", 5, {});
    for (int i = 0; i < 250; ++i) {
        fresh.files.push_back(sdist("foo-" + std::to_string(i) + ".tar.gz"));
        fresh.files.back().url = "https://files.example/nowhere";
        fresh.files.back().digests.clear();
    }
    const auto plan = plan_page(fresh, nullptr, {});
    CHECK(plan.page.files.empty());
    REQUIRE(plan.refused.size() == 101);
    CHECK(plan.refused.back().cause == "150 more files have no place");
}

TEST_CASE("files that are known are found in whatever order the page has them") {
    const std::vector<File> files{sdist("foo-1.0.tar.gz"), sdist("foo-2.0.tar.gz"),
                                  sdist("foo-3.0.tar.gz"), sdist("foo-4.0.tar.gz")};
    const ProjectPage known = held(page("foo", 5, files));
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
        ProjectPage fresh = page("foo", 6, {sdist("foo-0.9.tar.gz")});
        for (const std::size_t i : order) fresh.files.push_back(files[i]);
        const PagePlan plan = plan_page(fresh, &known, all);
        CHECK(plan.fetches.size() == 1);
        CHECK_FALSE(plan.loses);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("what is in doubt is looked at again") {
    const ProjectPage fresh = page("foo", 5, {wheel("foo-1.0-py3-none-any.whl")});
    const ProjectPage known = held(fresh);
    const std::string path = known.files[0].path;
    SECTION("the file, and its metadata with it") {
        const PagePlan plan = plan_page(fresh, &known, all, {path});
        REQUIRE(plan.fetches.size() == 2);
        CHECK_FALSE(plan.fetches[0].metadata);
        for (const Fetch& fetch : plan.fetches) CHECK(fetch.lies_there);
        CHECK_FALSE(plan.same);
    }
    SECTION("the metadata") {
        const PagePlan plan = plan_page(fresh, &known, all, {path + ".metadata"});
        REQUIRE(plan.fetches.size() == 1);
        CHECK((plan.fetches[0].metadata && plan.fetches[0].lies_there));
        CHECK(plan.page.files[0].held);
    }
    SECTION("before what only its host has, whether ours names it or not") {
        const auto more =
            page("foo", 6, {sdist("foo-3.0.tar.gz"), fresh.files[0], sdist("foo-2.0.tar.gz")});
        const std::string placed = *file_path(more.files[2]);
        std::vector<std::string> doubts{path, placed};
        std::sort(doubts.begin(), doubts.end());
        const PagePlan plan = plan_page(more, &known, all, doubts);
        REQUIRE(plan.fetches.size() == 4);
        CHECK((plan.fetches[0].file == 1 && plan.fetches[1].file == 1));
        CHECK((plan.fetches[2].file == 2 && plan.fetches[2].lies_there));
        CHECK((plan.fetches[3].file == 0 && !plan.fetches[3].lies_there));
    }
    SECTION("not another one") {
        CHECK(plan_page(fresh, &known, all, {"packages/x"}).same);
    }
    SECTION("but for one that the page has dropped, which cannot be kept") {
        const PagePolicy keep{true, true, true};
        CHECK(plan_page(page("foo", 6, {}), &known, keep, {path}).page.files.empty());
        const PagePlan plan = plan_page(page("foo", 6, {}), &known, keep, {path + ".metadata"});
        REQUIRE(plan.page.files.size() == 1);
        CHECK((plan.page.files[0].held && !plan.page.files[0].metadata_held));
        CHECK(plan.fetches.empty());
    }
}
