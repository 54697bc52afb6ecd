"""What a function leaves behind at the database when its event has ended, however that has ended."""

import json
from contextlib import suppress
from importlib import import_module

import pytest
from django.db import connection, connections

from notifier.channels.registry import channel_names
from notifier.deploy import operations
from notifier.deploy.connections import connected
from notifier.deploy.doctor import here
from notifier.queue.ring import FANOUT
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, event_for, make_context

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite in memory lives in its connection"),
]

NO_MESSAGE = ["no message of ours"]
MAIL = json.dumps({"eventType": "Delivery", "mail": {"messageId": "1", "tags": {}}, "delivery": {}})
OPERATIONS = ["migrate", "names_gone", "create_administrator", "export_rules"]


@pytest.fixture(autouse=True)
def _as_on_lambda(monkeypatch):
    for each in connections.all():
        monkeypatch.setitem(each.settings_dict, "CONN_MAX_AGE", 0)
    connection.close()


def called(module, event):
    """Whether the function, called with ``event``, has left this thread's connection open."""
    with suppress(RuntimeError):
        import_module(f"lambdas.{module}").handler(event, make_context())
    return connection.connection is not None


@pytest.mark.parametrize("route", [FANOUT, *channel_names()])
@pytest.mark.parametrize("bodies", [lambda route: bodies_for(route, [10**9]), lambda route: NO_MESSAGE])
def test_a_queues_function_keeps_none(route, bodies):
    connection.ensure_connection()
    assert not called(route, event_for(route, bodies(route)))


def test_neither_does_one_that_has_sent():
    delivery = make_delivery(channel="email")
    assert not called("email", event_for("email", bodies_for("email", [delivery.pk])))
    delivery.refresh_from_db()
    assert delivery.attempts == 1


@pytest.mark.parametrize("fails", [False, True])
def test_neither_does_the_sweep(fails, monkeypatch):
    if fails:
        monkeypatch.setattr("lambdas.sweep.sweep", lambda _: raise_(RuntimeError("no more")))
    assert not called("sweep", {})


def test_neither_does_feedback():
    assert not called("feedback", event_for("feedback", [MAIL]))


@pytest.mark.parametrize("name", OPERATIONS)
def test_neither_does_what_a_deploy_asks_of_the_website(name):
    getattr(operations, name)({}, None)
    assert connection.connection is None


def test_neither_does_the_doctors_question():
    here.report({"stage": ""}, None)
    assert connection.connection is None


def test_neither_does_what_raises():
    with pytest.raises(RuntimeError), connected():
        connection.ensure_connection()
        raise RuntimeError
    assert connection.connection is None


def raise_(error):
    raise error
