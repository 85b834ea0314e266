#include "pep381d/sync/alternates.h"

#include "support/catch.h"
#include "support/manual_clock.h"

using namespace pep381d;
using namespace std::chrono_literals;

namespace {

class KeptLog final : public Log {
  public:
    void write(Level, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

struct World {
    ManualClock clock;
    KeptLog log;
    Alternates alternates{{"https://a.example", "http://me:secret@10.0.0.7:8381/pypi"}, clock, log};

    void fails(std::size_t number, Failure failure = {Fault::retry_later, "no byte for 30s"}) {
        alternates.begun(number);
        alternates.ended(number, &failure);
    }
    // How long it rests after one more failure.
    std::chrono::minutes rest_after_failure(std::size_t number) {
        fails(number);
        std::chrono::minutes rest{0};
        for (; alternates.next(number) != number; ++rest) clock.advance(1min);
        return rest;
    }
};

}  // namespace

TEST_CASE("alternates come in their order, and then the master") {
    World world;
    CHECK(world.alternates.next(0) == 0);
    CHECK(world.alternates.next(1) == 1);
    CHECK_FALSE(world.alternates.next(2));
    CHECK(world.alternates.url(0, "packages/ab/x y-1.0.zip") ==
          "https://a.example/packages/ab/x%20y-1.0.zip");
    CHECK(world.alternates.url(1, "packages/x.whl.metadata") ==
          "http://me:secret@10.0.0.7:8381/pypi/packages/x.whl.metadata");
}

TEST_CASE("one that fails three times in a row rests for longer and longer, and then tries one") {
    World world;
    world.fails(1);
    world.fails(1);
    CHECK(world.alternates.next(1) == 1);
    CHECK(world.rest_after_failure(1) == 1min);
    CHECK(world.alternates.next(0) == 0);
    world.alternates.begun(1);
    CHECK_FALSE(world.alternates.next(1));  // one probe at a time
    const Failure failure{Fault::retry_later, "no byte for 30s"};
    world.alternates.ended(1, &failure);
    for (const auto& [number, rest] : {std::pair(1, 4min), std::pair(2, 8min)}) {
        CAPTURE(number);
        world.clock.advance(2h);
        CHECK(world.rest_after_failure(1) == rest);
    }
    for (int i = 0; i < 20; ++i) world.rest_after_failure(1);
    CHECK(world.rest_after_failure(1) == 60min);
    world.alternates.begun(1);
    world.alternates.ended(1, nullptr);
    world.fails(1);
    CHECK(world.alternates.next(1) == 1);
    CHECK_THAT(
        world.log.lines.at(0),
        ContainsSubstring("alternate_rests url=http://10.0.0.7:8381/pypi pause=1min cause="));
    for (const std::string& line : world.log.lines) CHECK_THAT(line, !ContainsSubstring("secret"));
}

TEST_CASE("many that fail together make one pause, and it says when it wants a longer one") {
    World world;
    for (int i = 0; i < 32; ++i) world.alternates.begun(0);
    const Failure failure{Fault::retry_later, "HTTP 503", 300s};
    for (int i = 0; i < 32; ++i) world.alternates.ended(0, &failure);
    CHECK(world.log.lines.size() == 1);
    world.clock.advance(299s);
    CHECK(world.alternates.next(0) == 1);
    world.clock.advance(1s);
    CHECK(world.alternates.next(0) == 0);
}

TEST_CASE("an alternate that does not have a file is well") {
    World world;
    world.fails(0);
    world.fails(0);
    world.fails(0, {Fault::gone, "HTTP 404"});
    world.fails(0);
    world.fails(0, {Fault::corrupt, "its sha256 is"});
    CHECK(world.alternates.next(0) == 0);
    world.fails(0, {Fault::refused, "HTTP 403"});
    CHECK(world.alternates.next(0) == 1);
}
