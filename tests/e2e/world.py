"""The real parts that the tests put together: the sample master, the daemon, and what they say of themselves.

The programs are those of the build directory in PEP381D_BUILD. Every process is one of a `World`, which ends
them all and removes its directory.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar

from compare import Terms, compare

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("PEP381D_BUILD", HERE.parents[1] / "build"))
DAEMON = BUILD / "pep381d"
SAMPLE_MASTER = BUILD / "sample-master"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
DEADLINE = 60.0  # seconds; for what takes a fraction of that on an idle machine
T = TypeVar("T")

# Prints the peak memory of a program, in KiB, into a file. A child's figure begins with its parent's, so the
# parent must be a small one.
MEASURE = ("import os, sys\n"
           "child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)\n"
           "_, status, usage = os.wait4(child, 0)\n"
           "print(usage.ru_maxrss, file=open(sys.argv[1], 'w'))\n"
           "sys.exit(os.waitstatus_to_exitcode(status))\n")


def until(condition: Callable[[], T], what: str, seconds: float = DEADLINE) -> T:
    """Waits for a true value and gives it back; fails the test when it does not come."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.02)


def clean_environment() -> Dict[str, str]:
    """Ours without what would change what programs do: proxies, pip's settings."""
    kept = {key: value for key, value in os.environ.items()
            if not key.upper().startswith(("PIP_", "PYTHON")) and not key.lower().endswith("_proxy")}
    return {**kept, "LC_ALL": "C.UTF-8"}


class Lines:
    """Reads a program's output as it comes, so that it never blocks on a full pipe."""

    def __init__(self, stream: Any) -> None:
        self.lines: List[str] = []
        self.thread = threading.Thread(target=self.read, args=(stream,), daemon=True)
        self.thread.start()

    def read(self, stream: Any) -> None:
        with stream:
            for line in stream:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def first(self, pattern: str) -> Optional["re.Match[str]"]:
        found = (re.search(pattern, line) for line in list(self.lines))
        return next((match for match in found if match), None)


@dataclass
class Result:
    """How a command ended."""

    status: int
    output: str
    errors: str
    seconds: float

    @property
    def last_line(self) -> str:
        lines = self.errors.splitlines()
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, as it came over the wire."""

    status: int
    headers: Dict[str, str]  # names in small letters
    body: bytes


def ask(url: str, target: str, headers: Optional[Dict[str, str]] = None, method: str = "GET",
        body: Optional[bytes] = None) -> Answer:
    """One request; `target` goes out as it is, and redirects are not followed."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read())
    finally:
        connection.close()


class Process:
    """A program that runs until it is told otherwise."""

    def __init__(self, command: List[str], **options: Any) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=clean_environment(), **options)
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)

    def running(self) -> bool:
        return self.process.poll() is None

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = DEADLINE) -> int:
        status = self.process.wait(seconds)
        self.out.thread.join()
        self.err.thread.join()
        return status

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def line(self, pattern: str, what: str) -> "re.Match[str]":
        """The first line on either stream that matches; fails when the program ends without it."""
        def found() -> Any:
            ended = not self.running()
            match = self.out.first(pattern) or self.err.first(pattern)
            if match is None and ended:
                raise AssertionError(f"{what}: the program ended: {self.err.lines[-3:]}")
            return match
        return until(found, what)


class SampleMaster(Process):
    """A small PyPI that can be told to change and to misbehave (tests/support/README.md)."""

    def __init__(self, projects: int = 60, files: int = 300, seed: int = 1,
                 listen: str = "127.0.0.1:0", era: str = "warehouse") -> None:
        super().__init__([str(SAMPLE_MASTER), "--listen", listen, "--projects", str(projects),
                          "--files", str(files), "--seed", str(seed), "--era", era])
        match = self.line(r"listening (\S+) files (\S+)", "the sample master listens")
        self.url, self.files_url = match.group(1), match.group(2)

    def control(self, call: str, **fields: Any) -> Any:
        form = urllib.parse.urlencode({key: value for key, value in fields.items() if value is not None},
                                      doseq=True).encode()
        answer = ask(self.url, "/+sample/" + call, method="POST", body=form)
        if answer.status != 200:
            raise AssertionError(f"/+sample/{call} {fields}: {answer.body!r}")
        return json.loads(answer.body)

    def event(self, action: str, project: Optional[str] = None, **fields: Any) -> Any:
        return self.control("event", action=action, project=project, **fields)

    def random(self, count: int, seed: int) -> List[str]:
        """Normalized names of the projects that the events were about."""
        return self.control("random", count=count, seed=seed)["projects"]

    def fault(self, match: str, kind: str, value: Any = None, times: int = 1,
              retry_after: Optional[str] = None) -> None:
        self.control("fault", match=match, kind=kind, value=value, times=times, retry_after=retry_after)

    def clear_faults(self) -> None:
        self.control("fault/clear")

    def raw(self, target: str, body: bytes, content_type: str = "application/octet-stream",
            status: int = 200, header: Optional[List[str]] = None) -> None:
        self.control("raw", target=target, body=body, type=content_type, status=status, header=header)

    def clear_raw(self) -> None:
        self.control("raw/clear")

    def extra(self, project: str, entry: Dict[str, Any]) -> None:
        self.control("extra", project=project, file_json=json.dumps(entry))

    def key(self, action: str) -> None:
        self.control("key", action=action)

    def reset_counts(self) -> None:
        self.control("requests/reset")

    def counts(self) -> Dict[str, int]:
        """How often each thing was asked for: `GET /path`, `POST method`."""
        return json.loads(ask(self.url, "/+sample/requests").body)["counts"]

    def settled_counts(self) -> Dict[str, int]:
        """The same, when nothing is on its way any more."""
        before = self.counts()
        while True:
            time.sleep(0.05)
            now = self.counts()
            if now == before:
                return now
            before = now

    def page(self, project: str) -> Dict[str, Any]:
        return json.loads(ask(self.url, f"/simple/{project}/", {"Accept": JSON_TYPE}).body)

    def root(self) -> Dict[str, Any]:
        return json.loads(ask(self.url, "/simple/", {"Accept": JSON_TYPE}).body)

    def names(self) -> List[str]:
        """Normalized names in the root index, in its order."""
        return [re.sub(r"[-_.]+", "-", entry["name"]).lower() for entry in self.root()["projects"]]


class Daemon(Process):
    """`pep381d run` or `pep381d serve`."""

    @property
    def url(self) -> str:
        match = self.line(r"serving address=\S+ port=(\d+)", "the embedded server listens")
        return f"http://127.0.0.1:{match.group(1)}"

    def status_of(self, target: str) -> int:
        return ask(self.url, target).status


class Mirror:
    """A mirror's directory, and the daemon's commands on it."""

    def __init__(self, directory: Path, master: str, **options: str) -> None:
        self.directory = directory
        self.web = directory / "web"
        self.settings = {"mirror.directory": str(directory), "master.url": master,
                         "listen.address": "127.0.0.1:0", **keys(options)}

    def command(self, *words: str, **options: str) -> List[str]:
        """`--config` always, so that a file in /etc changes nothing."""
        arguments = [str(DAEMON), "--config", "/dev/null"]
        for key, value in {**self.settings, **keys(options)}.items():
            arguments += [f"--{key}={part}" for part in (value.split(" ") if value else [""])]
        return arguments + list(words)

    def do(self, *words: str, **options: str) -> Result:
        return finished(self.command(*words, **options))

    def sync(self, *names: str, **options: str) -> Result:
        return self.do("sync", *names, **options)

    def measured_sync(self) -> Tuple[Result, int]:
        """And its peak memory in KiB."""
        figure = self.directory.parent / (self.directory.name + ".peak")
        result = finished([sys.executable, "-c", MEASURE, str(figure)] + self.command("sync"))
        return result, int(figure.read_text())

    def status(self) -> Dict[str, Any]:
        return json.loads(self.do("status", "--json").output)

    def last_modified(self) -> Optional[str]:
        path = self.web / "last-modified"
        return path.read_text() if path.exists() else None

    def staged(self) -> List[str]:
        staging = self.directory / "staging"
        return sorted(os.listdir(staging)) if staging.is_dir() else []

    def compare(self, master: SampleMaster, terms: Terms = Terms()) -> List[str]:
        return compare(master.url, self.directory, terms)

    def files(self) -> List[str]:
        """Everything below packages/, as paths below web/. Directories may go meanwhile."""
        return sorted(os.path.relpath(os.path.join(above, name), self.web)
                      for above, _, names in os.walk(self.web / "packages") for name in names)

    def page(self, project: str) -> Optional[Dict[str, Any]]:
        path = self.web / "simple" / project / "index.v1_json"
        return json.loads(path.read_text()) if path.exists() else None

    def filenames(self, project: str) -> List[str]:
        page = self.page(project)
        return [] if page is None else [file["filename"] for file in page["files"]]


def keys(options: Dict[str, str]) -> Dict[str, str]:
    """`master_max_requests` is `master.max-requests`: a keyword of Python's has neither dot nor dash."""
    return {name.replace("_", ".", 1).replace("_", "-"): value for name, value in options.items()}


def finished(command: List[str], **options: Any) -> Result:
    """Runs a command to its end."""
    began = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE,
                          env=clean_environment(), check=False, **options)
    return Result(done.returncode, done.stdout.decode(errors="replace"),
                  done.stderr.decode(errors="replace"), time.monotonic() - began)


class World(unittest.TestCase):
    """A test with a directory of its own and processes that end with it."""

    maxDiff = None

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.directory.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.directory, True)

    def ends(self, process: T) -> T:
        """The process does not outlive the test."""
        self.addCleanup(process.kill)  # type: ignore[attr-defined]
        return process

    def master(self, projects: int = 60, files: int = 300, seed: int = 1,
               listen: str = "127.0.0.1:0", era: str = "warehouse") -> SampleMaster:
        return self.ends(SampleMaster(projects, files, seed, listen, era))

    def mirror(self, master: str, name: str = "m", **options: str) -> Mirror:
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        return Mirror(directory, master, **options)

    def run_daemon(self, mirror: Mirror, command: str = "run", **options: str) -> Daemon:
        return self.ends(Daemon(mirror.command(command, **options)))

    def assert_equal_trees(self, mirror: Mirror, master: SampleMaster, terms: Terms = Terms()) -> None:
        found = mirror.compare(master, terms)
        self.assertEqual(found[:20], [], f"{len(found)} differences")

    def assert_done(self, result: Result) -> None:
        """Ended with 0."""
        self.assertEqual(result.status, 0, result.errors[-3000:])

    def assert_ends(self, result: Result, status: int, names: str = "") -> None:
        """Ended with `status`, and the last line on stderr says so, and what it is about (design 1.1)."""
        self.assertEqual(result.status, status, result.errors[-3000:])
        self.assertLessEqual(len(result.last_line), 150, result.last_line)
        self.assertRegex(result.last_line, rf"\b{status}\b")
        self.assertRegex(result.last_line, r"https?://|/", "no URL and no path")
        self.assertIn(names, result.last_line)


def refused_port() -> Tuple[socket.socket, str]:
    """An address where nobody listens, and the socket that keeps it so."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder, "127.0.0.1:%d" % holder.getsockname()[1]


def main() -> None:
    """Runs the tests of the module that was started."""
    for program in (DAEMON, SAMPLE_MASTER):
        if not program.exists():
            sys.exit(f"{program} is not there: build it, and set PEP381D_BUILD to the build directory")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the clean-up is done
    unittest.main(verbosity=2)
