#include "pep381d/model/event.h"

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("an event explains the losses that its action can bring, and no others") {
    struct Row {
        std::string action;
        bool has_version;
        Loss loss;
    };
    const auto row = GENERATE(values<Row>({
        {"remove project", false, Loss::project},
        {"remove", false, Loss::project},
        {"remove", true, Loss::files},
        {"remove release", true, Loss::files},
        {"remove file foo-1.0.tar.gz", true, Loss::files},
        {"project quarantined", false, Loss::quarantine},
        {"release quarantined", true, Loss::quarantine},
        {"project quarantine cleared", false, Loss::nothing},
        {"release quarantine cleared", true, Loss::nothing},
        {"create", false, Loss::nothing},
        {"new release", true, Loss::nothing},
        {"add source file foo-1.0.tar.gz", true, Loss::nothing},
        {"yank release", true, Loss::nothing},
        {"unyank release", true, Loss::nothing},
        {"remove Owner alice", false, Loss::nothing},
        {"remove Maintainer remove project", false, Loss::nothing},
        {"add Owner remove project", false, Loss::nothing},
        {"remove project ", false, Loss::nothing},
        {"nuke user", false, Loss::nothing},
        {"docdestroy", false, Loss::nothing},
        {"", false, Loss::nothing},
    }));
    INFO(row.action);
    CHECK(loss_of(Event{"foo", row.action, row.has_version, Serial{1}}) == row.loss);
}

TEST_CASE("a rename names the project that it ended") {
    CHECK(renamed_from(Event{"new", "rename from Old_Name", false, Serial{1}}) == "Old_Name");
    CHECK(renamed_from(Event{"new", "rename from ", false, Serial{1}}).empty());
    CHECK(renamed_from(Event{"new", "renamed from Old", false, Serial{1}}).empty());
    CHECK(renamed_from(Event{"new", "create", false, Serial{1}}).empty());
}
