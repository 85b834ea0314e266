#!/usr/bin/env python3
"""`make bench`: a first pass, a poll that finds nothing and a pass of events, against curl in the same run.

The master is nginx over a tree that a first mirror made of the sample master, so that it is not what is measured; only
XML-RPC is answered by this script. Each figure is the median of RUNS; ratios are against `curl --parallel` fetching the
same URLs, which checks and records nothing, followed by `sync -f` of what it wrote.
"""

import http.server
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Dict, List, NamedTuple

BUILD = Path(os.environ.get("PEP381D_BUILD", Path(__file__).resolve().parents[2] / "build"))
RUNS = int(os.environ.get("RUNS", "5"))
PROJECTS = int(os.environ.get("PROJECTS", "1000"))
FILES = int(os.environ.get("FILES", "15000"))


class Cost(NamedTuple):
    wall: float  # seconds
    cpu: float
    memory: float  # MiB at the peak


def run(*command: str) -> Cost:
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed: {errors.decode()[-300:]}")
    return Cost(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def middle(costs: List[Cost]) -> Cost:
    return Cost(*(statistics.median(values) for values in zip(*costs)))


class Rpc(http.server.BaseHTTPRequestHandler):
    answers: Dict[str, bytes] = {}

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        name = re.search(r"<methodName>(\w+)<", question)
        body = self.answers[name.group(1) if name else ""]
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def answer(value: str) -> bytes:
    return f"<?xml version='1.0'?><methodResponse><params><param><value>{value}</value></param></params></methodResponse>".encode()


def learn(mirror: Path) -> None:
    """What the master's XML-RPC says of the tree that nginx serves."""
    members, newest = [], 0
    for page in sorted((mirror / "web/simple").glob("*/index.v1_json")):
        found = re.match(r'\{"meta":\{"_last-serial":(\d+)', page.read_text(encoding="utf-8"))
        serial = int(found.group(1)) if found else 0
        newest = max(newest, serial)
        members.append(f"<member><name>{page.parent.name}</name><value><int>{serial}</int></value></member>")
    Rpc.answers = {
        "list_packages_with_serial": answer(f"<struct>{''.join(members)}</struct>"),
        "changelog_last_serial": answer(f"<int>{newest}</int>"),
    }


def start_nginx(root: Path, mirror: Path, rpc_port: int) -> str:
    (root / "nginx.conf").write_text(f"""
pid {root}/nginx.pid; error_log {root}/error.log; worker_processes 1; daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {root}/a; proxy_temp_path {root}/b; fastcgi_temp_path {root}/c; uwsgi_temp_path {root}/d; scgi_temp_path {root}/e;
  server {{
    listen 127.0.0.1:8399;
    location /pypi {{ proxy_pass http://127.0.0.1:{rpc_port}; }}
    location /simple/ {{ root {mirror}/web; index index.v1_json;
      types {{ application/vnd.pypi.simple.v1+json v1_json; }} }}
    location / {{ root {mirror}/web; }}
  }}
}}""", encoding="utf-8")
    subprocess.Popen(["nginx", "-c", str(root / "nginx.conf")], stderr=subprocess.DEVNULL)
    time.sleep(1)
    return "http://127.0.0.1:8399"


def curl_list(root: Path, mirror: Path, url: str) -> int:
    lines = []
    for path in sorted((mirror / "web").rglob("*")):
        if path.is_file() and (path.name == "index.v1_json" and path.parent.name != "simple" or "packages" in path.parts):
            target = str(path.relative_to(mirror / "web")).replace("index.v1_json", "")
            lines.append(f'url = "{url}/{target}"\noutput = "@OUT@/{len(lines)}"\n')
    (root / "urls").write_text("".join(lines), encoding="utf-8")
    return len(lines)


def measure(root: Path, url: str) -> None:
    curls, firsts, nothings = [], [], []
    daemon = [str(BUILD / "pep381d"), "--config", "/dev/null", "--master.url", url, "--log.level", "error"]
    for number in range(RUNS):
        out, mirror = root / f"curl{number}", root / f"mirror{number}"
        out.mkdir()
        mirror.mkdir()
        (root / "list").write_text((root / "urls").read_text(encoding="utf-8").replace("@OUT@", str(out)), encoding="utf-8")
        curls.append(run("sh", "-c", f"curl -s --parallel --parallel-max 16 -K {root}/list && sync -f {out}"))
        command = daemon + ["--mirror.directory", str(mirror), "sync"]
        firsts.append(run(*command))
        nothings.append(run(*command))
    base = middle(curls)
    print(f"{'':24}{'wall s':>9}{'cpu s':>9}{'peak MiB':>10}{'wall/curl':>11}{'cpu/curl':>10}")
    for name, cost in (("curl, sync -f", base), ("first pass", middle(firsts)), ("nothing new", middle(nothings))):
        print(f"{name:24}{cost.wall:9.2f}{cost.cpu:9.2f}{cost.memory:10.1f}"
              f"{cost.wall / base.wall:11.2f}{cost.cpu / base.cpu:10.2f}")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIRECTORY")))
    root.chmod(0o755)  # for the workers of nginx
    mirror = root / "master"
    mirror.mkdir()
    sample = subprocess.Popen([str(BUILD / "sample-master"), "--listen", "127.0.0.1:8398", "--projects", str(PROJECTS),
                               "--files", str(FILES)], stdout=subprocess.PIPE, text=True)
    rpc = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rpc)
    threading.Thread(target=rpc.serve_forever, daemon=True).start()
    try:
        assert sample.stdout is not None
        sample.stdout.readline()
        run(str(BUILD / "pep381d"), "--config", "/dev/null", "--master.url", "http://127.0.0.1:8398", "--mirror.directory",
            str(mirror), "sync")
        sample.terminate()
        learn(mirror)
        url = start_nginx(root, mirror, rpc.server_address[1])
        print(f"{curl_list(root, mirror, url)} URLs of {PROJECTS} projects, medians of {RUNS}")
        measure(root, url)
    finally:
        sample.terminate()
        if (root / "nginx.pid").exists():
            os.kill(int((root / "nginx.pid").read_text()), 15)
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
