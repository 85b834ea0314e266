"""nginx over all trees below one directory, as an operator would have it, and the reader who follows every link."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from world import HERE, Process, clean_environment, refused_port, until

READER = HERE.parent / "torture" / "reader.py"
CONFIGURATION = """
{user} pid {d}/pid; error_log {d}/error.log crit; worker_processes 1; daemon off;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {d}/a; proxy_temp_path {d}/b; fastcgi_temp_path {d}/c;
  uwsgi_temp_path {d}/d; scgi_temp_path {d}/e;
  server {{ listen {address}; root {root}; }}
}}
"""


class WebServer:
    def __init__(self, scratch: Path, root: Path) -> None:
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if nginx is None:
            sys.exit("nginx is not there: .ci/setup test")
        holder, address = refused_port()
        holder.close()
        scratch.mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        (scratch / "conf").write_text(CONFIGURATION.format(user=user, d=scratch, address=address, root=root))
        self.url = f"http://{address}"
        self.process = Process([nginx, "-p", str(scratch), "-c", str(scratch / "conf")])
        host, port = address.split(":")
        until(lambda: self.answers(host, int(port)), "nginx listens")

    def answers(self, host: str, port: int) -> bool:
        assert self.process.running(), self.process.err.lines
        with socket.socket() as client:
            return client.connect_ex((host, port)) == 0

    def stop(self) -> None:
        self.process.process.terminate()
        self.process.wait()


class Readers:
    """The reader's process: it reads one tree at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-B", str(READER)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=clean_environment())

    def order(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def read(self, url: str, rounds: Optional[int] = None) -> None:
        """Until stop(), or so many times around."""
        self.order(f"read {url} {rounds or ''}")

    def stop(self) -> Tuple[int, List[str]]:
        """How many links were followed, and what was wrong."""
        self.order("stop")
        assert self.process.stdout is not None
        found: Dict[str, Any] = json.loads(self.process.stdout.readline())
        return found["links"], found["wrong"]

    def end(self) -> None:
        self.process.communicate(timeout=60)
