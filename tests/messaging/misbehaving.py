"""A TCP server that behaves as badly as a test asks, once a connection, and remembers the bytes it was sent."""

import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Behaviour = Callable[["Visit"], None]


@dataclass
class Visit:
    """One accepted connection."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)

    def read(self, size: int = 1) -> None:
        """Read at least `size` more bytes, or until the client leaves."""
        goal = len(self.received) + size
        while len(self.received) < goal and (chunk := self.sock.recv(min(65536, goal - len(self.received)))):
            self.received += chunk

    def read_request(self) -> None:
        """Read one whole request, by its Content-Length."""
        begun = len(self.received)
        while b"\r\n\r\n" not in self.received[begun:]:
            before = len(self.received)
            self.read()
            if len(self.received) == before:
                return
        head = self.received[begun:].split(b"\r\n\r\n")[0].lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        self.read(begun + len(head) + 4 + length - len(self.received))

    def answer(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])
        self.sock.sendall(head.encode() + body)

    def drip(self, data: bytes, pause_s: float) -> None:
        """One byte at a time, until the client leaves."""
        with contextlib.suppress(OSError):
            for byte in data:
                self.sock.sendall(bytes([byte]))
                time.sleep(pause_s)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """Gives each connection the next behaviour, the last one for all that follow."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behaviours, self.tls = list(behaviours), tls
        self.visits: list[Visit] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def received(self) -> bytes:
        return b"".join(bytes(visit.received) for visit in self.visits)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _address = self.listener.accept()
                sock.settimeout(10)
                behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
                visit = Visit(sock)
                self.visits.append(visit)
                threading.Thread(target=self._behave, args=(behaviour, visit), daemon=True).start()

    def _behave(self, behaviour: Behaviour, visit: Visit) -> None:
        with contextlib.suppress(OSError):
            if self.tls:
                visit.sock = self.tls.wrap_socket(visit.sock, server_side=True)
            behaviour(visit)
        visit.sock.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextlib.contextmanager
def serving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(*behaviours, tls=tls)
    try:
        yield server
    finally:
        server.close()


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for 127.0.0.1 and the certificate that a client would have to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path
