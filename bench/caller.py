"""`python -m bench.caller HOST PORT STREAMS SECONDS RATE`: requests from standard input, one JSON string a line.

One thread a connection and raw sockets, so that the caller takes as little of the machine as it can. Prints the
milliseconds of every answer; exits 1 at the first answer that is not a success.
"""

import itertools
import json
import re
import socket
import sys
import threading
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def main() -> int:
    host, port, streams, seconds, rate = sys.argv[1], *map(float, sys.argv[2:])
    work = itertools.cycle([json.loads(line).encode("latin-1") for line in sys.stdin])
    begun = time.monotonic()
    slots = itertools.count()
    ms: list[float] = []
    failed: list[bytes] = []

    def stream() -> None:
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not failed and time.monotonic() - begun < seconds:
                due = begun + next(slots) / rate if rate else time.monotonic()
                time.sleep(max(0.0, due - time.monotonic()))
                connection.sendall(next(work))
                answer = _answer(connection)
                ms.append((time.monotonic() - due) * 1000)
                if not answer.startswith(b"HTTP/1.1 2"):
                    failed.append(answer)

    threads = [threading.Thread(target=stream) for _ in range(int(streams))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([round(one, 2) for one in ms]))
    if failed:
        print(failed[0], file=sys.stderr)
    return 1 if failed else 0


def _answer(connection: socket.socket) -> bytes:
    """The head and the whole body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        block = connection.recv(65536)
        if not block:
            return data
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    missing = int(found[1]) - len(body) if found else 0
    while missing > 0:
        missing -= len(connection.recv(65536))
    return head


if __name__ == "__main__":
    sys.exit(main())
