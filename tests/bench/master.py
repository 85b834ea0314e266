"""A master that costs little: nginx over static files, and XML-RPC by this process."""

import http.server
import os
import re
import socket
import subprocess
import threading
import urllib.request
from pathlib import Path
from typing import Dict, List, Tuple

from world import until

HEAD = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n"
TAIL = "</param>\n</params>\n</methodResponse>\n"
LIST_QUESTION = "<?xml version='1.0'?><methodCall><methodName>list_packages_with_serial</methodName></methodCall>"
SERIAL_QUESTION = "<?xml version='1.0'?><methodCall><methodName>changelog_last_serial</methodName></methodCall>"

# Pages that hang show what was done before the first of them came.
STATIC_PAGES = ("location /simple/ { root %s; index index.v1_json; "
                "types { application/vnd.pypi.simple.v1+json v1_json; } }")
HANGING_PAGES = "location /simple/ { proxy_pass http://127.0.0.1:%d; proxy_read_timeout 600s; }"


class Answers(http.server.BaseHTTPRequestHandler):
    server: "Rpc"

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = re.search(r"<methodName>(\w+)</methodName>(?:.*<int>(\d+)<)?", question, re.DOTALL)
        assert found is not None, question
        body = self.server.master.answer(found.group(1), int(found.group(2) or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.master.stopped.wait()

    def log_message(self, *_: object) -> None:
        pass


class Rpc(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, master: "Master") -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.master = master


class Master:
    def __init__(self, scratch: Path, web: Path, pages_hang: bool = False) -> None:
        self.serial = 0
        self.events: List[Tuple[str, int]] = []
        self.polls = 0
        self.counted = 0  # by ourselves
        self.list = b""
        self.stopped = threading.Event()
        self.rpc = Rpc(self)
        threading.Thread(target=self.rpc.serve_forever, daemon=True).start()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        scratch.mkdir()
        (scratch / "nginx.conf").write_text(self.configuration(scratch, web, pages_hang), encoding="utf-8")
        self.nginx = subprocess.Popen(["nginx", "-c", str(scratch / "nginx.conf")], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: answers(self.port), f"nginx listens; what hinders it stands in {scratch}/error.log")

    def configuration(self, scratch: Path, web: Path, pages_hang: bool) -> str:
        # Started by root, nginx would read as somebody who may not come here.
        user = "user root;" if os.geteuid() == 0 else ""
        rpc = self.rpc.server_address[1]
        return f"""
{user} pid {scratch}/nginx.pid; error_log {scratch}/error.log; worker_processes 1; daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {scratch}/a; proxy_temp_path {scratch}/b; fastcgi_temp_path {scratch}/c;
  uwsgi_temp_path {scratch}/d; scgi_temp_path {scratch}/e;
  server {{
    listen 127.0.0.1:{self.port};
    location = /requests {{ stub_status; }}
    location /pypi {{ proxy_pass http://127.0.0.1:{rpc}; proxy_buffering off; }}
    {HANGING_PAGES % rpc if pages_hang else STATIC_PAGES % web}
    location / {{ root {web}; }}
  }}
}}
"""

    def tell(self, serials: Dict[str, int]) -> None:
        """The names and serials of the list."""
        members = "".join(f"<member>\n<name>{name}</name>\n<value><int>{serial}</int></value>\n</member>\n"
                          for name, serial in serials.items())
        self.list = f"{HEAD}<value><struct>\n{members}</struct></value>\n{TAIL}".encode()
        self.serial = max(serials.values())

    def happen(self, name: str, serial: int) -> None:
        self.events.append((name, serial))
        self.serial = serial

    def answer(self, method: str, since: int) -> bytes:
        if method == "list_packages_with_serial":
            return self.list
        if method == "changelog_last_serial":
            self.polls += 1
            return f"{HEAD}<value><int>{self.serial}</int></value>\n{TAIL}".encode()
        rows = "".join(f"<value><array><data>\n<value><string>{name}</string></value>\n"
                       f"<value><string>1.0</string></value>\n<value><int>1780000000</int></value>\n"
                       f"<value><string>new release</string></value>\n<value><int>{serial}</int></value>\n"
                       f"</data></array></value>\n"
                       for name, serial in self.events if serial > since)
        return f"{HEAD}<value><array><data>\n{rows}</data></array></value>\n{TAIL}".encode()

    def requests(self) -> int:
        """All that nginx has answered, but for these questions themselves."""
        with urllib.request.urlopen(self.url + "/requests") as answer:
            count = int(answer.read().split()[9])
        self.counted += 1
        return count - self.counted

    def stop(self) -> None:
        self.stopped.set()
        self.nginx.terminate()
        self.nginx.wait()
        self.rpc.shutdown()


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
