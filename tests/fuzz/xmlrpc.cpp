// The answers of the master's XML-RPC: what is read does not depend on how they are cut into
// pieces.
#include "pep381d/master/xmlrpc.h"

#include <optional>
#include <utility>

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

struct Read {
    std::optional<Failure> failure;
    Serial serial;
    std::vector<Event> events;
    std::vector<std::pair<std::string, Serial>> names;
};

template <class Reader>
void feed(Reader& reader, std::string_view document, std::size_t most) {
    const auto take = [&](std::string_view piece) { (void)reader.feed(piece).ok(); };
    if (most == 0)
        take(document);
    else
        fuzz::in_pieces(document, most, take);
}

Read read_serial(std::string_view document, std::size_t most) {
    SerialReader reader;
    feed(reader, document, most);
    Outcome<Serial> serial = reader.finish();
    Read read;
    if (serial) read.serial = serial.value();
    if (!serial) read.failure = serial.failure();
    require(read.serial.value >= 0, "a serial is not negative");
    return read;
}

Read read_changelog(std::string_view document, std::size_t most) {
    ChangelogReader reader;
    feed(reader, document, most);
    auto events = reader.finish();
    Read read;
    if (events) read.events = std::move(events).value();
    if (!events) read.failure = events.failure();
    for (const Event& event : read.events) {
        require(event.serial.value > 0, "the serial of an event is positive");
        (void)loss_of(event);
        (void)renamed_from(event);
    }
    return read;
}

Read read_list(std::string_view document, std::size_t most) {
    Read read;
    ListReader reader([&](std::string_view name, Serial serial) {
        require(serial.value >= 0, "the serial of a project is not negative");
        read.names.emplace_back(name, serial);
    });
    feed(reader, document, most);
    if (Done done = reader.finish(); !done) read.failure = done.failure();
    return read;
}

bool same(const Event& a, const Event& b) {
    return a.name == b.name && a.action == b.action && a.has_version == b.has_version &&
           a.serial == b.serial;
}

void compare(const Read& whole, const Read& cut) {
    require(whole.failure.has_value() == cut.failure.has_value(), "pieces make no difference",
            whole.failure ? whole.failure->what
            : cut.failure ? cut.failure->what
                          : "");
    if (whole.failure) {
        const Failure &a = *whole.failure, &b = *cut.failure;
        require(a.fault == b.fault && a.wait == b.wait && a.what == b.what,
                "a failure is the same in pieces", a.what + " / " + b.what);
        require(a.wait.count() >= 0 && a.wait.count() <= 3600, "nobody makes us wait for long");
        require(!fuzz::has_control(a.what), "a cause is one line", a.what);
        require(a.what.size() < 2000, "a cause is short");
        return;
    }
    require(whole.serial == cut.serial, "the serial is the same in pieces");
    require(whole.names == cut.names, "the list is the same in pieces");
    require(whole.events.size() == cut.events.size(), "the journal is as long in pieces");
    for (std::size_t i = 0; i < whole.events.size(); ++i)
        require(same(whole.events[i], cut.events[i]), "the journal is the same in pieces");
}

}  // namespace

void fuzz_one(std::string_view input) {
    for (const auto read : {read_serial, read_changelog, read_list}) {
        const Read whole = read(input, 0);
        compare(whole, read(input, 3));
        compare(whole, read(input, 40));
    }
}
