#include "pep381d/plan/removal.h"

#include "support/catch.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {

const Time noon{std::chrono::hours(12)};

GoneEvidence not_found() {
    GoneEvidence evidence;
    evidence.page_gone = true;
    evidence.now = noon;
    return evidence;
}

}  // namespace

TEST_CASE("a page that is gone and an event that explains it remove a project at once") {
    GoneEvidence evidence = not_found();
    evidence.last_loss = Loss::project;
    CHECK(judge_gone(evidence) == Verdict::gone);
}

TEST_CASE("a page that a cache serves on is overruled by a list that is as new as the event") {
    GoneEvidence evidence;
    evidence.now = noon;
    evidence.last_loss = Loss::project;
    CHECK(judge_gone(evidence) == Verdict::wait);
    evidence.looks = 2;
    CHECK(judge_gone(evidence) == Verdict::ask_list);
    evidence.listed_out = true;
    CHECK(judge_gone(evidence) == Verdict::gone);
}

TEST_CASE("without an event a project goes only after an hour, three looks and a fresh list") {
    GoneEvidence evidence = not_found();
    CHECK(judge_gone(evidence) == Verdict::wait);
    evidence.gone_looks = 3;
    CHECK(judge_gone(evidence) == Verdict::wait);
    evidence.gone_since = noon - 59min;
    CHECK(judge_gone(evidence) == Verdict::wait);
    evidence.gone_since = noon - 61min;
    CHECK(judge_gone(evidence) == Verdict::ask_list);
    evidence.absent = noon - 62min;  // older than the first such look
    CHECK(judge_gone(evidence) == Verdict::ask_list);
    evidence.absent = noon - 1min;
    CHECK(judge_gone(evidence) == Verdict::gone);
    evidence.gone_looks = 2;
    CHECK(judge_gone(evidence) == Verdict::wait);
}

TEST_CASE("the loss of files does not explain the loss of a project") {
    GoneEvidence evidence = not_found();
    evidence.last_loss = Loss::files;
    CHECK(judge_gone(evidence) == Verdict::wait);
}

TEST_CASE("the guard lets ten deletions pass, or its part of all projects where that is more") {
    struct Row {
        std::int64_t candidates, projects;
        double fraction;
        bool held;
    };
    const Row rows[] = {{10, 20, 0.05, false},  {11, 20, 0.05, true},  {50, 1000, 0.05, false},
                        {51, 1000, 0.05, true}, {11, 1000, 0.0, true}, {1000, 1000, 1.0, false}};
    for (const Row& row : rows)
        CHECK(too_many_deletions(row.candidates, row.projects, row.fraction) == row.held);
}
