"""One project in ten is broken, in ten ways (tests/e2e/test_broken_tenth.py): what that costs the others."""

from cost import command, measured
from setting import Setting, read_state
from test_broken_tenth import break_a_tenth
from world import SampleMaster

PROJECTS, FILES = 1_000, 5_000
PATIENCE = 20.0  # of the configuration


def broken(setting: Setting) -> None:
    table = setting.table
    well, ill = SampleMaster(PROJECTS, FILES), SampleMaster(PROJECTS, FILES)
    try:
        ways = break_a_tenth(ill)
        table.heading(f"one project in ten is broken: {len(ways)} of {PROJECTS:,}, {FILES:,} files, the sample master")
        mirror = setting.new("mirror")

        def ill_pass():  # type: ignore[no-untyped-def]
            nonlocal mirror
            mirror = setting.new("mirror")
            return measured(command(mirror, ill.url, "sync", log_level="error"), setting.directory, lambda: 0, status=1)
        base, own = setting.rounds(
            lambda: measured(command(setting.new("mirror"), well.url, "sync", log_level="error"), setting.directory,
                             lambda: 0), ill_pass)
    finally:
        well.kill()
        ill.kill()
    healthy = table.line("all are well", base)
    sick = table.line("one in ten is not", own)
    waiting = read_state(mirror, "SELECT count(*) FROM queue WHERE attempts > 0")
    table.note(f"named in status: {waiting} of {len(ways)}")
    table.goal("one in ten broken: seconds, to 1.3 healthy passes and master.patience",
               sick.wall / (1.3 * healthy.wall + PATIENCE), 1.0)
    table.goal("one in ten broken: projects that wait unnamed or for another", abs(
        read_state(mirror, "SELECT count(*) FROM queue") - len(ways)), 0)
