#!/usr/bin/env python3
"""Large files that go on where they broke off, and files that come from alternates."""

import hashlib
import http.server
import os
import random
import re
import signal
import threading
import time
from typing import Any, Dict, List, Tuple

from invariants import broken
from world import Daemon, Mirror, World, main, until

SIZE = 4 << 20
PIECE = 64 << 10


class SlowHost(http.server.ThreadingHTTPServer):
    """Serves one file, as slowly as it is told, and knows ranges."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), SlowHandler)
        self.content = content
        self.pause = 0.0  # seconds between pieces of 64 KiB
        self.asked: List[Tuple[int, int]] = []  # first byte, bytes sent
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def kill(self) -> None:
        self.shutdown()
        self.server_close()


class SlowHandler(http.server.BaseHTTPRequestHandler):
    server: SlowHost

    def do_GET(self) -> None:
        wanted = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        first = int(wanted.group(1)) if wanted else 0
        content = self.server.content
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        sent = 0
        try:
            for start in range(first, len(content), PIECE):
                sent += self.wfile.write(content[start:start + PIECE])
                time.sleep(self.server.pause)
        except OSError:
            pass
        self.server.asked.append((first, sent))

    def log_message(self, *_: object) -> None:
        pass


class LargeFiles(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=5, files=15)
        self.host = self.ends(SlowHost(random.Random(1).randbytes(SIZE)))
        self.started.extra("idna", self.entry())
        self.m = self.mirror(self.started.url, filter_projects="idna")

    def entry(self) -> Dict[str, Any]:
        return {"filename": "large-1.0.tar.gz", "url": self.host.url + "/packages/large/large-1.0.tar.gz",
                "size": SIZE, "hashes": {"sha256": hashlib.sha256(self.host.content).hexdigest()},
                "core-metadata": False, "requires-python": None, "upload-time": "2024-01-01T00:00:00Z",
                "yanked": False, "provenance": None}

    def part(self) -> int:
        """How much of the large file lies in staging/."""
        sizes = [os.path.getsize(self.m.directory / "staging" / name) for name in self.m.staged()
                 if name.endswith(".part")]
        return max(sizes, default=0)

    def stopped_half_way(self, number: int) -> int:
        self.host.pause = 0.05
        process = self.ends(Daemon(self.m.command("sync")))
        until(lambda: self.part() > SIZE // 2, "half of the file")
        process.send(number)
        process.wait()
        until(lambda: self.host.asked, "the host notices")
        self.host.pause = 0.0
        self.assertEqual(broken(self.m.web), [])
        return self.part()

    def assert_goes_on(self, there: int) -> None:
        self.assert_done(self.m.sync())
        until(lambda: (there, SIZE - there) in self.host.asked, f"the rest from {there} on is sent")
        self.assertEqual((self.m.web / "packages/large/large-1.0.tar.gz").read_bytes(), self.host.content)
        self.assertIn("large-1.0.tar.gz", self.m.filenames("idna"))
        self.assertEqual(self.m.staged(), [])

    def test_after_a_kill_only_the_rest_is_fetched(self) -> None:
        self.assert_goes_on(self.stopped_half_way(signal.SIGKILL))

    def test_after_a_stop_only_the_rest_is_fetched(self) -> None:
        self.assert_goes_on(self.stopped_half_way(signal.SIGTERM))

    def test_a_part_that_nobody_wants_any_more_is_removed(self) -> None:
        self.assertGreater(self.stopped_half_way(signal.SIGKILL), 0)
        self.assert_done(self.m.sync(filter_projects="requests"))
        self.assertEqual(self.m.staged(), [])

    def test_a_part_with_other_bytes_is_dropped(self) -> None:
        self.stopped_half_way(signal.SIGKILL)
        name = next(name for name in self.m.staged() if name.endswith(".part"))
        path = self.m.directory / "staging" / name
        path.write_bytes(b"\0" * os.path.getsize(path))  # as a power cut leaves it
        self.assert_goes_on(0)


class FromAlternates(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=20, files=80)
        first = self.mirror(self.started.url, "first")
        self.assert_done(first.sync())
        self.near = self.run_daemon(first, "serve")
        self.url = self.near.url
        self.started.reset_counts()

    def files_of_master(self) -> int:
        return sum(1 for what in self.started.counts() if what.startswith("GET /packages/"))

    def second(self, *alternates: str) -> Mirror:
        return self.mirror(self.started.url, "second", files_alternates=" ".join(alternates))

    def test_a_mirror_fills_itself_from_another_one(self) -> None:
        mirror = self.second(self.url)
        self.assert_done(mirror.sync())
        self.assertEqual(self.files_of_master(), 0)
        self.assert_equal_trees(mirror, self.started)

    def test_what_the_other_one_lacks_comes_from_the_master(self) -> None:
        self.started.event("new-release", "idna", version="66.0")
        mirror = self.second(self.url)
        self.assert_done(mirror.sync())
        self.assertGreater(self.files_of_master(), 0)
        self.assertLess(self.files_of_master(), 10)
        self.assert_equal_trees(mirror, self.started)

    def test_one_that_is_not_there_costs_little(self) -> None:
        self.near.kill()
        mirror = self.second(self.url)
        result = mirror.sync()
        self.assert_done(result)
        self.assertIn("alternate_rests", result.errors)
        self.assert_equal_trees(mirror, self.started)


if __name__ == "__main__":
    main()
