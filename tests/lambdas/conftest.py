"""What the channels' tests share: messages, and a server that listens and never answers."""

import socket

import pytest

from notifier.channels import Message


@pytest.fixture
def make_message():
    """``make_message(text=…)``: a Message with that and defaults."""

    def make(*, delivery=1, attempt=1, address="", text="Hello", **parts):
        return Message(delivery=delivery, attempt=attempt, address=address, text=text, **parts)

    return make


@pytest.fixture
def silent_url():
    """A server that takes the connection and the request, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def closed_url():
    """An address at which nobody listens: the port is bound, so nobody else can take it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
