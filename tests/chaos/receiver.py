"""Somebody who is told by webhooks: `python -m tests.chaos.receiver LEDGER`; a line with the event's id each time."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LEDGER = Path(sys.argv[-1])


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """200 once it is written down."""
        self.rfile.read(int(self.headers["Content-Length"]))
        with LEDGER.open("a") as ledger:
            ledger.write(f"{self.headers['webhook-id']}\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Its output is its port alone."""


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
