// What the state keeps when the power fails. A change that was committed is there, since what it
// replaces is removed after that.
#include "pep381d/state/state.h"

#include "support/catch.h"
#include "support/faults/memory_vfs.h"

using namespace pep381d;
using faults::Fate;
using faults::MemoryVfs;
using faults::Volume;

namespace {

const std::string& path = faults::state_file();

void commit(State& state, std::int64_t cursor) {
    State::Change change(state);
    state.set(Note::cursor, cursor);
    change.commit();
}

std::optional<std::int64_t> cursor_on(Volume disk) {
    Fate well;
    const MemoryVfs vfs(disk, well, 2);
    State state(path, State::Access::write);
    return state.number(Note::cursor);
}

}  // namespace

TEST_CASE("a new state keeps what was committed, whatever a power cut takes of the rest") {
    Volume disk;
    Fate well;
    const MemoryVfs vfs(disk, well, 1);
    State state(path, State::Access::write);
    commit(state, 5);
    auto losses = disk.losses(true);
    losses.push_back({Volume::Damage::everything, 0, 0});
    for (const auto& loss : losses) {
        CAPTURE(disk.describe(loss));
        CHECK(cursor_on(disk.after(loss)) == 5);
    }
}

TEST_CASE("a commit that fails is not there, and the one before it is") {
    for (int n = 1;; ++n) {
        Volume disk;
        {
            Fate well;
            const MemoryVfs vfs(disk, well, 1);
            State state(path, State::Access::write);
            commit(state, 5);
        }
        Fate fate(faults::Fault::error, n, faults::Operation::state_write);
        bool committed = false;
        {
            const MemoryVfs vfs(disk, fate, 2);
            try {
                State state(path, State::Access::write);
                commit(state, 6);
                committed = true;
            } catch (const Fatal& fatal) {
                CHECK_THAT(fatal.what(), ContainsSubstring(path));
            }
        }
        CAPTURE(n);
        CHECK(cursor_on(disk) == (committed ? 6 : 5));
        if (!fate.struck()) break;
    }
}
