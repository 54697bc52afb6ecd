"""The first acts of processes, by name. Each asks the database nothing before what it is named for."""

import asyncio
import json
import os
import sys
import threading
import uuid

from django.contrib.auth.signals import user_logged_out
from django.core.management import call_command
from django.db import connections, transaction

from notifier import emit
from notifier.models import Event, Trigger
from project.demo.models import Post
from tests.app.models import Customer, Order
from tests.first.apps import opened

# The keys of the rows that a test has put there; no sequence comes to them.
CUSTOMER, ORDER = 1_000_000, uuid.UUID(int=1)


def create():
    Customer.objects.create(first_name="Bo")


def create_in_a_transaction():
    with transaction.atomic(using=Customer.objects.db):
        create()


def change():
    Customer(pk=CUSTOMER, first_name="Bo").save()


def delete():
    Customer(pk=CUSTOMER).delete()


def delete_all():
    Customer.objects.all().delete()


def clear():
    Order(pk=ORDER).watchers.clear()


def make():
    Customer(first_name="Bo")


def send():
    opened.send(sender=None, who="Bo")


def send_robust():
    opened.send_robust(sender="the shop", who="Bo")


def emit_it():
    emit("opened", who="Bo")


def read():
    list(Customer.objects.all())


def send_among_threads():
    """Eight threads that begin at the same time, each with its first act."""
    start = threading.Barrier(8)

    def act():
        start.wait()
        send()

    _in_threads(*[act] * 8)


def create_in_a_thread():
    _in_threads(create)


def create_async():
    asyncio.run(Customer.objects.acreate(first_name="Bo"))


def send_async():
    asyncio.run(opened.asend(sender=None, who="Bo"))


def send_in_the_event_loop():
    """Where Django allows no query, so that nothing can be recorded."""

    async def act():
        send()

    asyncio.run(act())


def create_in_a_fork():
    _in_a_fork(create)


def create_in_a_fork_of_one_that_has_read():
    """As a server that has asked the database something before it forks its workers."""
    read()
    connections.close_all()
    _in_a_fork(send)


def send_in_a_fork_of_one_that_has_sent():
    """Both processes use the database afterwards, so they must not share a connection."""
    user_logged_out.send(sender=None, request=None, user=None)
    assert not [each.alias for each in connections.all() if each.connection is not None]
    _in_a_fork(send)
    read()


def follow_in_a_fork_of_one_that_has_read():
    """The child asks the database nothing until it is to hear of a signal."""
    read()
    connections.close_all()
    _say("ready")
    pause = threading.Event()

    def act():
        while not opened.has_listeners():
            pause.wait(0.02)
        send()

    _in_a_fork(act)


def connect_past_the_project():
    """As Django does to make and to drop a test's database."""
    another = connections["default"].copy(alias="another")
    another.ensure_connection()
    assert connections["default"].connection is None
    another.close()


def work():
    """As a worker that takes one task after the other: neither a request nor a new process a task."""
    for task in (send, create, send):
        task()


def serve():
    """Do the acts that are named in lines, each in a process of its own, which has asked nothing."""
    _say("ready")
    for line in sys.stdin:
        _in_a_fork(globals()[line.strip()])
        _say("done")


def send_while_the_database_is_away():
    """Its folder is ``AWAY`` at first."""
    away = os.environ["AWAY"]
    for _ in range(3):
        send()
    os.rename(away, away.removesuffix("-away"))
    send()


def send_before_and_after_migrating():
    send()
    call_command("migrate", verbosity=0)
    send()
    Trigger.objects.create(name="Opened", verb="opened")
    send()
    _say(Event.objects.count())


def lambda_handler(event, context):
    send()


def call_a_function():
    lambda_handler({}, None)


def say_listeners():
    """Print the models that somebody listens to, by signal, after an act or two."""
    from django.db.models import signals

    for act in (send, read):
        act()
        found = {
            name: sorted(model.__name__ for model in (Post, Customer, Order) if signal.has_listeners(model))
            for name, signal in vars(signals).items()
            if name.startswith(("pre_", "post_")) and name.endswith(("init", "save", "delete"))
        }
        _say(json.dumps({name: models for name, models in found.items() if models}))


def _in_a_fork(act):
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _in_threads(*acts):
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _say(text):
    print(text, flush=True)
