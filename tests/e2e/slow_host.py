"""A host of one large file."""

import hashlib
import http.server
import re
import threading
import time
from typing import Any, Dict, List, Tuple

PIECE = 64 << 10
NAME = "large-1.0.tar.gz"
PATH = f"packages/large/{NAME}"


class SlowHost(http.server.ThreadingHTTPServer):
    """Serves one file, as slowly as it is told, and knows ranges."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), SlowHandler)
        self.content = content
        self.pause = 0.0  # seconds between pieces of 64 KiB
        self.requests = 0
        self.asked: List[Tuple[int, int]] = []  # first byte, bytes sent
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def kill(self) -> None:
        self.shutdown()
        self.server_close()

    def entry(self) -> Dict[str, Any]:
        """The file's entry in the page of a project."""
        return {"filename": NAME, "url": f"{self.url}/{PATH}",
                "size": len(self.content), "hashes": {"sha256": hashlib.sha256(self.content).hexdigest()},
                "core-metadata": False, "requires-python": None, "upload-time": "2024-01-01T00:00:00Z",
                "yanked": False, "provenance": None}


class SlowHandler(http.server.BaseHTTPRequestHandler):
    server: SlowHost

    def do_GET(self) -> None:
        self.server.requests += 1
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
