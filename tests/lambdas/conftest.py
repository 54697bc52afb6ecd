"""What the channels' tests share: messages, and a server that listens and never answers."""

import socket
from threading import Timer

import pytest

from notifier.channels import Message

HANG_UP_SECONDS = 10


@pytest.fixture
def make_message():
    """``make_message(text=…)``: a Message with that and defaults."""

    def make(*, delivery=1, attempt=1, address="", text="Hello", **parts):
        return Message(delivery=delivery, attempt=attempt, address=address, text=text, **parts)

    return make


@pytest.fixture
def silent_url():
    """A server that takes the connection and the request, and does not answer.

    It hangs up in the end, so that a client without a time-out fails its test instead of hanging.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hang_up = Timer(HANG_UP_SECONDS, listening.shutdown, [socket.SHUT_RDWR])
        hang_up.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        hang_up.cancel()
        hang_up.join()


@pytest.fixture
def closed_url():
    """An address at which nobody listens: the port is bound, so nobody else can take it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
