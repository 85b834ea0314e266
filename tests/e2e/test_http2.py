#!/usr/bin/env python3
"""HTTPS with a CA of one's own, and HTTP/2: a whole mirror over one or two connections. nginx stands in front of the
sample master for that."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

from world import Process, SampleMaster, World, main, until

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
NGINX = shutil.which("nginx", path=PATH)
OPENSSL = shutil.which("openssl", path=PATH)

CONFIGURATION = """
daemon off;
master_process off;
pid {d}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    log_format each '$connection $server_protocol $msec $request_time';
    access_log {d}/access.log each;
    client_body_temp_path {d}/temp;
    proxy_temp_path {d}/temp;
    fastcgi_temp_path {d}/temp;
    uwsgi_temp_path {d}/temp;
    scgi_temp_path {d}/temp;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {d}/server.pem;
        ssl_certificate_key {d}/server.key;
        {server}
        proxy_set_header Accept-Encoding "";
        location /packages/ {{ proxy_pass {files}; }}
        location / {{
            proxy_pass {master};
            sub_filter {files} https://127.0.0.1:{port};
            sub_filter_types *;
            sub_filter_once off;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Request:
    connection: str
    protocol: str
    begun: float
    ended: float


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def most_at_once(requests: List[Request]) -> int:
    """How many of them were under way at the same time."""
    changes: List[Tuple[float, int]] = [(request.begun, 1) for request in requests]
    changes += [(request.ended, -1) for request in requests]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


class Http2(World):
    def setUp(self) -> None:
        super().setUp()
        if NGINX is None or OPENSSL is None:
            self.skipTest("nginx and openssl are needed (.ci/setup test)")
        self.make_certificates()
        self.started = self.master()
        self.url = self.front(self.started)

    def openssl(self, *words: str) -> None:
        subprocess.run([str(OPENSSL), *words], cwd=self.directory, check=True, capture_output=True)

    def make_certificates(self) -> None:
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self.openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
                     "-subj", "/CN=a CA of our own")
        self.openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        (self.directory / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "2", "-extfile", "names", "-out", "server.pem")

    def front(self, master: SampleMaster, server: str = "") -> str:
        port = free_port()
        configuration = self.directory / f"nginx-{port}.conf"
        configuration.write_text(CONFIGURATION.format(d=self.directory, port=port, master=master.url,
                                                      files=master.files_url, server=server))
        nginx = self.ends(Process([str(NGINX), "-p", str(self.directory), "-c", str(configuration)]))

        def listens() -> bool:
            self.assertTrue(nginx.running(), nginx.err.lines)
            with socket.socket() as one:
                return one.connect_ex(("127.0.0.1", port)) == 0
        until(listens, "nginx listens")
        return f"https://127.0.0.1:{port}"

    def requests(self) -> List[Request]:
        """All that nginx has answered so far."""
        log = Path(self.directory / "access.log")
        found = []
        for line in log.read_text().splitlines():
            connection, protocol, ended, took = line.split()
            found.append(Request(connection, protocol, float(ended) - float(took), float(ended)))
        return found

    def test_a_mirror_is_complete_over_few_connections_that_carry_many_requests_at_once(self) -> None:
        for path in ("/packages/", "/simple/"):
            self.started.fault(path, "delay", 50, times=-1)  # so that there is something to overlap
        mirror = self.mirror(self.url, master_ca_file=str(self.directory / "ca.pem"))
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, self.started)
        requests = self.requests()
        self.assertGreater(len(requests), 400)
        self.assertEqual({request.protocol for request in requests}, {"HTTP/2.0"})
        by_connection: Dict[str, List[Request]] = {}
        for request in requests:
            by_connection.setdefault(request.connection, []).append(request)
        self.assertLessEqual(len(by_connection), 2)
        most = max(by_connection.values(), key=len)
        self.assertGreater(len(most), len(requests) // 2)
        self.assertGreaterEqual(most_at_once(most), 16, "the requests of a connection wait for one another")

    def test_a_poll_that_finds_nothing_is_one_request(self) -> None:
        mirror = self.mirror(self.url, master_ca_file=str(self.directory / "ca.pem"))
        self.assert_done(mirror.sync())
        before = len(self.requests())
        self.assert_done(mirror.sync())
        self.assertEqual(len(self.requests()), before + 1)

    def test_streams_that_are_reset_and_connections_that_end_leave_nothing_out(self) -> None:
        """nginx ends each connection after some requests (GOAWAY), and resets a stream (RST_STREAM) whose upstream
        breaks off."""
        url = self.front(self.started, "keepalive_requests 20;")
        self.started.fault("/packages/", "cut", 100, times=7)
        self.started.fault("/simple/", "cut", 10, times=7)
        mirror = self.mirror(url, master_ca_file=str(self.directory / "ca.pem"))
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, self.started)
        requests = self.requests()
        self.assertEqual({request.protocol for request in requests}, {"HTTP/2.0"})
        self.assertGreaterEqual(len({request.connection for request in requests}), len(requests) // 20)

    def test_from_https_nothing_leads_to_http(self) -> None:
        for path in ("/pypi", "/simple/", "/packages/"):
            with self.subTest(path):
                away = f"if ($uri ~ ^{path}) {{ return 302 {self.started.url}$request_uri; }}"
                url = self.front(self.started, away)
                mirror = self.mirror(url, path.strip("/"), master_ca_file=str(self.directory / "ca.pem"),
                                     master_patience="1s")
                result = mirror.sync()
                self.assert_ends(result, 3 if path == "/pypi" else 1)
                self.assertIn("redirected from https to http", result.errors + str(mirror.status()["failing"]))

    def test_who_signs_for_himself_is_not_believed_without_the_ca(self) -> None:
        result = self.mirror(self.url, master_patience="1s").sync()
        self.assert_ends(result, 3, self.url)
        self.assertIn("certificate", result.errors)
        self.assertIn("master.ca-file", result.errors)


if __name__ == "__main__":
    main()
