"""A WSGI server on the loopback interface that can be closed and opened again, as in an outage.

moto's own ``ThreadedMotoServer`` waits for ever in ``start()`` when its port is taken, and half a second in
``stop()``.
"""

import socket
from contextlib import suppress
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server

from notifier.exceptions import ConfigurationError

HOST = "127.0.0.1"
# Connections that may wait to be accepted; many threads of a test connect at the same instant.
BACKLOG = 128
# How often the accepting thread looks whether it should stop; werkzeug's half a second would be added to
# every stop().
POLL_SECONDS = 0.02


class LoopbackServer:
    """Serves ``app`` on 127.0.0.1; after ``stop()`` it can be started again, on the same port.

    ``port`` 0 means any free one. ``start()`` raises ConfigurationError when the port is taken.
    """

    def __init__(self, app, *, name, port=0, request_handler=WSGIRequestHandler):
        self.app, self.name, self.port = app, name, port
        self._handler = _quiet(request_handler)
        self._server = self._thread = None

    @property
    def url(self):
        return f"http://{HOST}:{self.port}"

    def start(self):
        # werkzeug would print a taken port and exit; given a socket, it leaves that to us.
        with self._listen() as listening:
            self.port = listening.getsockname()[1]
            self._server = make_server(
                HOST, self.port, self.app, threaded=True, request_handler=self._handler, fd=listening.fileno()
            )
        self._thread = Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name=self.name, daemon=True
        )
        self._thread.start()

    def stop(self):
        """Refuse new connections; requests under way are still answered. Harmless when not running."""
        if self._server is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server = self._thread = None

    def _listen(self):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, self.port))
            listening.listen(BACKLOG)
        except OSError as error:
            listening.close()
            raise ConfigurationError(
                f"{self.name} cannot listen on {HOST}:{self.port}: {error.strerror}. Name "
                "another port, or 0 for any."
            ) from error
        return listening


def cut(connection):
    """Close a connection both ways at once, also while others read or write on it."""
    with suppress(OSError):  # the other side was quicker
        connection.shutdown(socket.SHUT_RDWR)


def _quiet(request_handler):
    """``request_handler`` without its line per request, which would bury what the person at the terminal
    wants to read.
    """
    return type("QuietHandler", (request_handler,), {"log_request": lambda self, code="-", size="-": None})
