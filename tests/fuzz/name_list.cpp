// Root indexes of a master, in JSON and HTML: what is read does not depend on how it arrives.
#include "pep381d/master/name_list.h"

#include <utility>
#include <vector>

#include "fuzz.h"

using namespace pep381d;
using fuzz::require;

namespace {

struct Read {
    std::vector<std::pair<std::string, std::int64_t>> entries;
    std::int64_t told = 0;
    bool good = false;
};

Read read(ListForm form, std::string_view text, std::size_t most) {
    Read result;
    NameList list(form, "https://pypi.example/simple/", [&](std::string_view name, Serial serial) {
        require(!name.empty(), "an entry has a name");
        require(serial.value >= 0, "a serial is not negative");
        result.entries.emplace_back(name, serial.value);
    });
    bool fed = true;
    fuzz::in_pieces(text, most,
                    [&](std::string_view piece) { fed = fed && list.feed(piece).ok(); });
    const auto told = list.finish();
    require(fed || !told.ok(), "what failed once has failed");
    if (!told.ok()) {
        require(told.failure().fault == Fault::corrupt, "a list that cannot be read is corrupt");
        require(!fuzz::has_control(told.failure().what), "a cause is one line",
                told.failure().what);
        require(told.failure().what.size() < 600, "a cause is short", told.failure().what);
        return result;
    }
    result.told = told.value().value;
    result.good = true;
    return result;
}

}  // namespace

void fuzz_one(std::string_view input) {
    for (const ListForm form : {ListForm::root_json, ListForm::root_html}) {
        const Read whole = read(form, input, 1 << 20), pieces = read(form, input, 7);
        require(whole.good == pieces.good, "a list is whole however it is cut");
        if (!whole.good) continue;
        require(whole.told == pieces.told && whole.entries == pieces.entries,
                "a list says the same however it is cut");
    }
}
