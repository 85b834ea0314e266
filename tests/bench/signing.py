"""Signing: first passes of pages alone, with and without `signing.key`, at full speed and where the network is slow."""

import subprocess
import sys

import delay
from cost import command, median
from index import names
from master import answers, free_port
from setting import Setting, made_up, served
from world import until

PROJECTS = 2_000
LATENCY, BUDGET = 0.05, 10
CPU_MOST, WALL_MOST = 0.25, 1.02  # ms a page; to that without


def signing(setting: Setting) -> None:
    table, index = setting.table, made_up(setting, names(PROJECTS, 5), lambda _: 1)
    master = served(setting, index)
    home = setting.new("keys")
    key = home / "key"
    subprocess.run(command(home, master.url, "keygen", signing_key=str(key)), check=True, stdout=subprocess.DEVNULL)
    settings = {"files_enabled": "false"}
    with_key = {**settings, "signing_key": str(key)}
    table.heading(f"signing, DSA and Ed25519: {PROJECTS:,} pages")
    plain, signed = setting.rounds(lambda: setting.sync(master, setting.new("mirror"), **settings),
                                   lambda: setting.sync(master, setting.new("mirror"), **with_key))
    base = table.line("pep381d sync, without a key", plain)
    own = table.line("pep381d sync, with signing.key", signed)
    table.ratio(own, base)
    each = (own.cpu - base.cpu) / PROJECTS * 1000
    table.note(f"{each:.2f} ms of CPU a page, with writing the two signatures")
    table.goal("signing: CPU a page", each, CPU_MOST, "ms")

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    late = {"master_max_requests": str(BUDGET)}
    proxy = subprocess.Popen([sys.executable, delay.__file__, str(port), str(master.port), str(LATENCY)])
    try:
        until(lambda: answers(port), "the delay proxy listens")
        plain, signed = setting.rounds(
            lambda: setting.sync(master, setting.new("mirror"), url, **settings, **late),
            lambda: setting.sync(master, setting.new("mirror"), url, **with_key, **late))
    finally:
        proxy.terminate()
        proxy.wait()
    table.line(f"without a key, {LATENCY * 1000:.0f} ms of latency", plain)
    table.line(f"with signing.key, {LATENCY * 1000:.0f} ms of latency", signed)
    table.goal("signing: wall with cores to spare, to that without", median(signed).wall / median(plain).wall, WALL_MOST)
