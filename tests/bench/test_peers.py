"""The peers' benchmark: what is handed to Kannel, and how an answer is read."""

import socket
import threading

import pytest

from bench.peers import kannel
from bench.peers.handing import hand_over
from bench.peers.letters import Letter


def test_an_identical_text_is_handed_over_to_many_at_once_and_a_personal_one_to_one():
    same = [Letter(f"6012{n:07}", "The same.") for n in range(250)]
    assert [len(people) for _, people in kannel.calls_of(same)] == [100, 100, 50]
    own = [Letter("60120000001", "Dear A"), Letter("60120000002", "Dear B")]
    assert list(kannel.calls_of(own)) == [("Dear A", ["60120000001"]), ("Dear B", ["60120000002"])]


@pytest.fixture
def answering():
    """A server that gives every request on its one connection this answer; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(answer, requests):
        def one():
            connection, _ = listening.accept()
            with connection:
                for _ in range(requests):
                    while b"\r\n\r\n" not in connection.recv(65536):
                        pass
                    connection.sendall(answer)

        threading.Thread(target=one, daemon=True).start()
        return listening.getsockname()[1]

    yield serve
    listening.close()


def test_a_call_that_kannel_refuses_ends_the_benchmark(answering):
    call = b"GET / HTTP/1.1\r\n\r\n"
    hand_over(answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nOK", 1), [call])
    with pytest.raises(RuntimeError, match="Sender missing"):
        hand_over(answering(b"HTTP/1.1 400 Bad\r\nContent-Length: 14\r\n\r\nSender missing", 1), [call])
