#include "pep381d/base/outcome.h"

#include <memory>

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("an outcome holds either the value or the failure") {
    const Outcome<int> good = 7;
    REQUIRE(good.ok());
    CHECK(good.value() == 7);

    const Outcome<int> bad = Failure{Fault::gone, "no such page"};
    REQUIRE_FALSE(bad.ok());
    CHECK(bad.failure().fault == Fault::gone);
}

TEST_CASE("a value that can only be moved passes through an outcome") {
    Outcome<std::unique_ptr<int>> outcome = std::make_unique<int>(3);
    const std::unique_ptr<int> value = std::move(outcome).value();
    CHECK(*value == 3);
}
