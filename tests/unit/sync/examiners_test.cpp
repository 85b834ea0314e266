// The threads that examine: what is thrown there, and what takes long.
#include "pep381d/sync/examiners.h"

#include <functional>
#include <future>

#include "support/catch.h"

using namespace pep381d;

namespace {

// Each look at it does what the test says.
struct StubTree final : FileTree {
    explicit StubTree(std::function<void()> look) : look_(std::move(look)) {}
    Outcome<std::optional<FileLook>> look(const std::string&) override {
        look_();
        return std::optional<FileLook>();
    }
    Outcome<std::optional<FileLook>> look(const Descriptor&) override { return none; }
    Outcome<Descriptor> create(const std::string&) override { return none; }
    Outcome<Descriptor> append(const std::string&) override { return none; }
    Done write(const Descriptor&, std::string_view) override { return none; }
    Done finish(Descriptor, std::optional<std::int64_t>, bool) override { return none; }
    Done make_directory(const std::string&) override { return none; }
    Done remove_directory(const std::string&) override { return none; }
    Outcome<Descriptor> open(const std::string&) override { return none; }
    Outcome<Descriptor> open_from_disk(const std::string&) override { return none; }
    Outcome<std::size_t> read(const Descriptor&, char*, std::size_t) override { return none; }
    Outcome<std::unique_ptr<Listing>> list(const std::string&) override { return none; }
    Done rename(const std::string&, const std::string&) override { return none; }
    Outcome<bool> place(const std::string&, const std::string&) override { return none; }
    Done link(const std::string&, const std::string&) override { return none; }
    Done remove(const std::string&) override { return none; }
    Done flush() override { return none; }
    Outcome<Room> room() override { return none; }

    const Failure none{Fault::local, "not in this tree"};
    std::function<void()> look_;
};

std::unique_ptr<Examination> examination(FileTree& tree) {
    Subject subject{*ProjectName::parse("foo"), 1, std::nullopt, true};
    return std::make_unique<Examination>(tree, std::make_shared<const Subject>(std::move(subject)),
                                         Scope{});
}

}  // namespace

TEST_CASE("what is thrown while a project is examined comes to who reaps") {
    StubTree tree([] { throw std::bad_alloc(); });
    Examiners examiners(2);
    examiners.start(examination(tree));
    CHECK_THROWS_AS(
        [&] {
            for (int i = 0; i < 100; ++i) (void)examiners.reap(true);
        }(),
        std::bad_alloc);
}

TEST_CASE("who waits for an examination that takes long is not kept") {
    std::promise<void> end;
    StubTree tree([ended = end.get_future().share()] { ended.wait(); });
    Examiners examiners(2);
    examiners.start(examination(tree));
    CHECK(examiners.reap(true).empty());
    CHECK(examiners.under_way() == 1);
    end.set_value();
    std::size_t reaped = 0;
    for (int i = 0; i < 100 && reaped == 0; ++i) reaped = examiners.reap(true).size();
    CHECK(reaped == 1);
}
