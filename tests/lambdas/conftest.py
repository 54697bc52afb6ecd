"""What the channels' tests share: messages, and a server that listens and never answers."""

import socket
from threading import Timer

import pytest

from lambdas._outbound import CATCHER
from notifier.channels.message import Message
from tests.lambdas.internet import HOST, Internet, make_certificate
from tests.support.patience import STANDSTILL_SECONDS


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
        hang_up = Timer(STANDSTILL_SECONDS, listening.shutdown, [socket.SHUT_RDWR])
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


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    """The one server behind every address of ``internet``."""
    internet = Internet(*make_certificate(tmp_path_factory.mktemp("certificate"), HOST))
    yield internet
    internet.close()


@pytest.fixture
def internet(everything, monkeypatch):
    """An Internet of which each address is one local server, and nothing is real.

    See ``tests.lambdas.internet``.
    """
    everything.reset()
    monkeypatch.setattr(socket, "getaddrinfo", everything.getaddrinfo)
    monkeypatch.setattr(
        socket.socket, "connect", lambda connecting, address: everything.connect(connecting, address)
    )
    # A developer's own must not decide.
    monkeypatch.delenv(CATCHER, raising=False)
    return everything
