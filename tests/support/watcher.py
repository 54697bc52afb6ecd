"""Another process on the test's database, that has long been running: it prints when it sees that saving a
post fires, or no longer does.

``manage.py shell -c "from tests.support.watcher import watch; watch(…)"``; nothing but what ``between`` does
happens in it meanwhile.
"""

import os
import sys
import threading

LOOK_EVERY_SECONDS = 0.02


def nothing():
    """A shell, a worker: neither a request nor a new connection."""


def open_a_connection():
    """As each invocation of a function does."""
    from django.db import connection

    connection.close()
    connection.ensure_connection()


def serve_a_request():
    from django.test import Client

    Client(headers={"host": "localhost"}).get("/")


def watch(between=nothing):
    """Print the names of this process's threads; then "on" or "off" as it changes, with the number of events
    after a save.
    """
    from django.db import connection
    from django.db.models.signals import post_save

    from notifier.models import Event
    from project.demo.models import Post

    connection.ensure_connection()
    _say("ready", *sorted(thread.name for thread in threading.enumerate()))
    fires, pause = post_save.has_listeners(Post), threading.Event()
    while not pause.wait(LOOK_EVERY_SECONDS):
        between()
        if fires != post_save.has_listeners(Post):
            fires = not fires
            Post.objects.create(title="Seen")
            _say("on" if fires else "off", Event.objects.count())


def watch_in_a_fork():
    """As a server that loads the project, and looks at its database, before it forks its workers."""
    from django.db import connection

    connection.ensure_connection()
    connection.close()
    if os.fork() == 0:
        watch()
    os.wait()


def watch_connections():
    """Print a line whenever the thread that looks for changes opens a connection."""
    from django.db import connection
    from django.db.backends.signals import connection_created

    def opened(**_):
        if threading.current_thread().name == "notifier-rules":
            _say("opened")

    connection_created.connect(opened)
    connection.ensure_connection()
    threading.Event().wait()


def _say(*words):
    print(*words, flush=True)
    sys.stdout.flush()
