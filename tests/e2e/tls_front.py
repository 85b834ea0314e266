"""HTTPS before a server that speaks only HTTP, with certificates that are as they should be, or not."""

import functools
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
# Name -> what it is for, and how many days it holds.
CERTIFICATES = {"good": ("IP:127.0.0.1", "2"), "expired": ("IP:127.0.0.1", "-1"), "elsewhere": ("DNS:elsewhere.example", "2")}

MAKING = threading.Lock()


@functools.lru_cache(maxsize=None)
def certificates() -> "tempfile.TemporaryDirectory[str]":
    """ca.pem, key.pem, and NAME.pem for each of the above; as long as this program runs."""
    directory = tempfile.TemporaryDirectory(prefix="certificates-")
    openssl = shutil.which("openssl")
    assert openssl is not None, "openssl is needed (.ci/setup test)"

    def run(*words: str) -> None:
        subprocess.run([str(openssl), *words], cwd=directory.name, check=True, capture_output=True)
    run("req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=a CA of our own")
    run("req", *KEY, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=somebody")
    for name, (host, days) in CERTIFICATES.items():
        Path(directory.name, "names").write_text(f"subjectAltName={host}\n")
        run("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", days, "-extfile", "names", "-out", f"{name}.pem")
    return directory


class TlsFront(socketserver.ThreadingTCPServer):
    """Hands all bytes on, both ways. It ends with the program."""

    daemon_threads = True

    def __init__(self, behind: str, certificate: str) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        with MAKING:
            directory = Path(certificates().name)
        self.authority = str(directory / "ca.pem")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / f"{certificate}.pem", directory / "key.pem")
        parts = urllib.parse.urlsplit(behind)
        self.behind = (str(parts.hostname), int(parts.port or 80))
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Connection(socketserver.BaseRequestHandler):
    server: TlsFront

    def handle(self) -> None:
        try:
            with self.server.context.wrap_socket(self.request, server_side=True) as client, \
                    socket.create_connection(self.server.behind) as behind:
                pump(client, behind)
        except OSError:  # who does not like the certificate goes away
            pass


def pump(client: ssl.SSLSocket, behind: socket.socket) -> None:
    """Until one of them ends. In one thread: an SSLSocket is not for two."""
    while True:
        ready = [client] if client.pending() else select.select([client, behind], [], [])[0]
        for source, to in ((client, behind), (behind, client)):
            if source in ready:
                piece = source.recv(65536)
                if not piece:
                    return
                to.sendall(piece)
