// Times, durations and sizes as text, and what a peer says about when to come again.
#include <cstring>

#include <curl/curl.h>

#include "pep381d/base/clock.h"
#include "pep381d/base/units.h"
#include "pep381d/model/project_page.h"
#include "pep381d/net/http_failure.h"
#include "pep381d/net/retry.h"

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

constexpr std::int64_t day = 86'400;

void check_texts(std::string_view text) {
    if (const auto time = parse_upload_time(text)) {
        std::string written;
        append_upload_time(written, *time);
        require(parse_upload_time(written) == time, "an upload time comes back", text);
    }
    if (const auto time = parse_basic(text))
        require(format_basic(*time) == text, "a time is only read in its one form", text);
    if (const auto duration = parse_duration(text)) {
        require(duration->count() >= 0, "a duration is not negative", text);
        require(parse_duration(format_duration(*duration)) == duration, "a duration comes back",
                text);
    }
    if (const auto size = parse_size(text)) {
        require(*size >= 0, "a size is not negative", text);
        require(parse_size(format_size(*size)) == size, "a size comes back", text);
        require(!display_size(*size).empty(), "a size is shown");
    }
}

void check_failure(const Failure& failure) {
    require(failure.wait.count() >= 0 && failure.wait.count() <= day, "nobody stops us for long");
    require(!failure.what.empty(), "a failure has a cause");
    require(failure.fault == Fault::retry_later || failure.wait.count() == 0,
            "a time to wait is only for what is tried again");
}

void check_status(std::int64_t status, std::int64_t retry_after) {
    for (const bool resumed : {false, true}) {
        const Failure failure =
            status_failure(static_cast<long>(status), resumed, std::chrono::seconds(retry_after));
        check_failure(failure);
        require((failure.fault == Fault::gone) == (status == 404 || status == 410),
                "only 404 and 410 say that there is nothing");
        require(failure.fault != Fault::local, "what a peer says is not our fault");
    }
}

void check_pauses(std::int64_t attempt, std::int64_t asked) {
    for (const double random : {0.0, 0.5, 0.999999}) {
        const auto pause =
            retry_pause(static_cast<int>(attempt), std::chrono::milliseconds(asked), random);
        require(pause.count() >= 0 && pause.count() <= day * 1000, "a pause is a day at most");
    }
}

}  // namespace

void fuzz_one(std::string_view input) {
    std::int64_t numbers[2] = {0, 0};
    const std::size_t taken = input.size() < sizeof numbers ? input.size() : sizeof numbers;
    std::memcpy(numbers, input.data(), taken);
    check_status(numbers[0] % 1000, numbers[1]);
    check_status(numbers[0], numbers[1]);
    check_pauses(numbers[0], numbers[1]);
    for (const std::string& line : fuzz::lines_of(input)) {
        check_texts(line);
        BrokenOff end{static_cast<int>(numbers[0] % (CURL_LAST + 3)), line, 0, false, {}, {}, {}};
        check_failure(curl_failure(end));
    }
}
