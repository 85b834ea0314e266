#!/usr/bin/env python3
"""Lets every answer of a server arrive later, since not every kernel has netem: `delay.py PORT SERVER-PORT SECONDS`.

What comes back is held for that long; what goes there, and making a connection, costs nothing. So each request takes
that long more, whatever the size of its answer. Threads, because their sleep is exact to 0.1 ms, where a loop over
epoll wakes up a millisecond late.
"""

import queue
import socket
import sys
import threading
import time
from typing import Tuple

Held = Tuple[float, bytes]  # when it is due, and what


def receive(stream: socket.socket) -> bytes:
    try:
        return stream.recv(1 << 16)
    except OSError:
        return b""


def hand_on(source: socket.socket, held: "queue.Queue[Held]", seconds: float) -> None:
    while True:
        data = receive(source)
        held.put((time.monotonic() + seconds, data))
        if not data:
            return


def let_go(held: "queue.Queue[Held]", target: socket.socket) -> None:
    while True:
        due, data = held.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if not data:
                target.shutdown(socket.SHUT_RDWR)
                return
            target.sendall(data)
        except OSError:
            return


def join(source: socket.socket, target: socket.socket, seconds: float) -> None:
    held: "queue.Queue[Held]" = queue.Queue()
    threading.Thread(target=hand_on, args=(source, held, seconds), daemon=True).start()
    threading.Thread(target=let_go, args=(held, target), daemon=True).start()


def main(port: int, server: int, seconds: float) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            upstream = socket.create_connection(("127.0.0.1", server))
            for stream in (client, upstream):
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            join(client, upstream, 0)
            join(upstream, client, seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
